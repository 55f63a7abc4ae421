"""What is observed on a Docker host: the script that runs there, and its output as typed facts."""
