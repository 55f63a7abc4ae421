"""What the gate reports: text for people, JSON, SARIF and GitHub annotations for machines. One module a format."""
