"""Many hosts: which ones there are, a run against each side by side, and one result of all of them."""
