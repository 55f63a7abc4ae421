"""What is known of Lago, by version."""
