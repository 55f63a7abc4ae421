"""Acceptance checks for one Lago billing deployment: what is declared, what runs, and whether it bills."""

import sys

__version__ = "1.0.0"

# httpx loads what its own command line needs (click, rich, pygments) wherever that is installed: a sixth of a short run's
# time for loading. None says that there is no such module, which httpx expects.
sys.modules.setdefault("httpx._main", None)
