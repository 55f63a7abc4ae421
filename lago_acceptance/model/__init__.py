"""A deployment, declared or observed, in one shape."""
