"""What a run reports: to people in the terminal, to machines in summary.json and Allure's results."""
