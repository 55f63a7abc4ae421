"""Vocabulary of all rooms: verdicts, findings, secrets, settings, ids."""
