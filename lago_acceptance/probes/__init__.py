"""Single observations from outside. Each tells what it saw, a failure included; none judges, none raises."""
