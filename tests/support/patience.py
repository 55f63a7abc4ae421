"""How long the tests wait for what must happen."""

# In seconds. A wait ends when what it waits for has come, so only a failure takes this long; a busy machine is none.
PATIENCE = 120
