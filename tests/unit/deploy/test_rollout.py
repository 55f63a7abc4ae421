"""What a rollout says about a version that does not start."""

from __future__ import annotations

import pytest

from lago_acceptance.deploy import rollout
from tests.support.paths import DATA


def test_of_a_migration_that_failed_what_postgresql_has_refused():
    log = (DATA / "recordings" / "upgrade" / "migrate-fails.log").read_text().splitlines()
    assert rollout._telling(log[-20:]).startswith('PG::CheckViolation: ERROR:  check constraint "fees_')


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], ""),
        (["", "  "], ""),
        (["Booting Puma", "key.rb is empty", ""], "key.rb is empty"),
        (
            [
                "rails aborted!",
                "NameError: uninitialized constant Fee",
                "/app/db/migrate/1.rb:5:in `up'",
                "Tasks: TOP => db:migrate",
                "(See full trace by running task with --trace)",
            ],
            "NameError: uninitialized constant Fee",
        ),
        (["/app/config/boot.rb:3:in `require'", "\tfrom /app/config/boot.rb:3"], ""),
    ],
)
def test_else_the_last_line_in_words(lines, said):
    assert rollout._telling(lines) == said
