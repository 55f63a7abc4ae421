"""Single observations from outside. Each returns what it saw, failures included; none judges or raises."""
