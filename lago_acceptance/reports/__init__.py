"""What a run tells: to people in the terminal, to machines in summary.json."""
