"""One look at a Docker host: the script that runs there, and what it found as typed facts."""
