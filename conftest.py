"""Nothing to wire beyond pytest.ini, which names the plugins of fixtures/. This file marks the root for pytest."""
