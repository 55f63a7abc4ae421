"""The only room that imports pytest: its hooks."""
