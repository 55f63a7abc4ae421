-- enqueue invoices:populate_currency
SELECT 1;
