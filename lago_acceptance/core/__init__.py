"""Vocabulary of all rooms: verdicts, findings, secrets, settings, the register of finding ids."""
