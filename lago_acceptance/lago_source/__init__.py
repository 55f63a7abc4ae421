"""Lago's source, read from a checkout: what the tables of room `lago` are made from and compared with (bin/lago-facts)."""
