"""Changes a deployment on its host: deploys, rolls back, restores. The only room that does, beside scenarios, which write into Lago."""
