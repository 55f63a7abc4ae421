"""Scripts that run on a Docker host, and what they share with Python."""
