"""What a run writes into Lago to prove that it bills, and removes again."""
