"""A question is answered once for each model and service, and never for another that only looks alike."""

from __future__ import annotations

from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.once import once


class Asked:
    """Counts how often the question was really asked."""

    def __init__(self) -> None:
        self.times = 0

        @once
        def question(service: Service, model: Model) -> object:
            self.times += 1
            return object()

        self.question = question


def service(name: str = "api") -> Service:
    return Service(name=name, image="getlago/api:v1.16.0", role="api")


def model() -> Model:
    return Model(observed=False, project="lago")


def test_one_question_is_answered_once():
    asked, of, about = Asked(), service(), model()
    assert asked.question(of, about) is asked.question(of, about) and asked.times == 1


def test_what_is_equal_is_another():
    asked, about = Asked(), model()
    assert asked.question(service(), about) is not asked.question(service(), about)
    of = service()
    assert asked.question(of, model()) is not asked.question(of, model()) and asked.times == 4


def test_an_answer_is_not_that_of_a_model_that_is_gone():
    asked, of = Asked(), service()
    answers = []
    for _ in range(100):
        answers.append(asked.question(of, model()))
    assert len(set(map(id, answers))) == 100


def test_answers_are_no_part_of_what_it_is():
    asked, of = Asked(), service()
    asked.question(of, model())
    assert of == service() and repr(of) == repr(service())
