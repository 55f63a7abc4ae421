"""The model of what Compose resolves."""

from __future__ import annotations

from lago_acceptance.model.from_compose import declared


def test_a_service_that_a_program_provides_is_known_by_that_program():
    model = declared(
        {
            "services": {
                "tool": {"provider": {"type": "sh", "options": {"c": ["id"]}}},
                "api": {"image": "getlago/api:v1.16.0"},
            }
        }
    )
    assert [(each.name, each.provider) for each in model.services] == [("tool", "sh"), ("api", "")]
