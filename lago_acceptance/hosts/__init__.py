"""Runs commands on a Docker host: locally or over ssh."""
