"""What earlier runs saw, in one SQLite file: since when a state lasts, what has changed, and what was last looked at."""
