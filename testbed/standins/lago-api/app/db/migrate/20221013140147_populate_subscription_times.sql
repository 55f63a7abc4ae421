-- enqueue subscriptions:populate_times
SELECT 1;
