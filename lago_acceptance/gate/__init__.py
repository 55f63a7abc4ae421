"""The gate: rules over compose files, compared with git's base, and its reports."""
