"""``python -m lago_acceptance`` is ``lago-acceptance``."""

from lago_acceptance.cli.suite import main

if __name__ == "__main__":
    raise SystemExit(main())
