"""A plugin that loads what a live run loads while it looks, so that collecting with it takes a live run's start-up."""

from lago_acceptance.targets.live import WANTED_BY_LOOKING, WANTED_LATER, Live


def pytest_collection_finish() -> None:
    Live.load(WANTED_LATER + WANTED_BY_LOOKING)
