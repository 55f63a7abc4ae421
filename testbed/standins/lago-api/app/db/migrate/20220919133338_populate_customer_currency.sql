-- enqueue customers:populate_currency
SELECT 1;
