"""The plan catalogue, and seeding Lago with it."""
