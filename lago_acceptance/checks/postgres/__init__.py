"""Checks of the PostgreSQL server: it takes Lago's work, nobody holds it up, and nothing wears it out unseen."""
