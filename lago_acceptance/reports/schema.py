"""The JSON Schema of summary.json. ``python -m lago_acceptance.reports.schema`` writes docs/summary.schema.json."""

from __future__ import annotations

import msgspec

from lago_acceptance.reports.summary import FORMAT, Summary


def document() -> bytes:
    """The schema, made of the structs that summary.json is written from."""
    described = msgspec.json.schema(Summary)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"summary.json of lago-acceptance, format {FORMAT}",
    }
    for struct in described["$defs"].values():
        # Docstrings are wrapped for the code's width.
        if text := struct.get("description"):
            struct["description"] = " ".join(text.split())
    return msgspec.json.format(msgspec.json.encode({**head, **described}), indent=2) + b"\n"


def main() -> None:
    """Write docs/summary.schema.json of this checkout."""
    from lago_acceptance.core.resources import ROOT

    (ROOT / "docs" / "summary.schema.json").write_bytes(document())


if __name__ == "__main__":
    main()
