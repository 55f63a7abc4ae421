-- enqueue fees:populate_units
SELECT 1;
