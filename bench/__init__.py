"""The numbers that the project promises, measured as ratios in one run: ``make bench``, or one part by its name."""
