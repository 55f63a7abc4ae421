"""Which image runs in a stack, and how stand-ins are built."""
