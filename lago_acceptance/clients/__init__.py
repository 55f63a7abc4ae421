"""Clients of Lago and of the gateway. They tell a wrong answer from none, and never ask twice."""
