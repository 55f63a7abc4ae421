"""The cases of the corpus as the gate reads them, once per run: what Compose takes for each is most of the time."""

from __future__ import annotations

import pytest

from lago_acceptance.composefile.sources import Source
from tests.support import corpus
from tests.support.gate import load_all


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    """Every case and healthy file by its name, as the gate reads it."""
    folder = tmp_path_factory.mktemp("corpus")
    every = (*corpus.cases(), *corpus.harmless(), *corpus.healthy_cases())
    paths = [case.write(folder / str(number) / "billing") for number, case in enumerate(every)]
    return {case.name: source for case, source in zip(every, load_all(paths), strict=True)}
