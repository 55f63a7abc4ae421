"""Acceptance checks for one Lago billing deployment: what is declared, what runs, and whether it bills."""

__version__ = "1.0.0"
# Where the documentation is on the web; nowhere yet.
DOCUMENTATION = ""
