"""Reads shell text without running it."""
