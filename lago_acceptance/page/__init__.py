"""The page: reports/index.html, one file that shows what runs have seen, of one host or of many."""
