"""Judges facts, probes and answers: each function yields findings."""
