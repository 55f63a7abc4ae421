"""What is under test: a stack on this machine, or a live host."""
