"""The checks as tests: one folder for each phase of the deployment plan."""
