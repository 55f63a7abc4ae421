-- Statuses: pending, settled; types: inbound, outbound. A top-up counts that has no invoice, or whose invoice is finalized
-- and paid: else it waits for the customer's payment, or another sign tells of its invoice.
SELECT wallet_transactions.created_at AT TIME ZONE 'UTC' AS since, wallet_transactions.id AS example
FROM wallet_transactions
WHERE status = 0 AND transaction_type = 0
  AND created_at < :'utc_now'::timestamp - :topup_hours * interval '1 hour'
  AND NOT EXISTS (SELECT FROM fees JOIN invoices ON invoices.id = fees.invoice_id
                  WHERE invoiceable_type = 'WalletTransaction' AND invoiceable_id = wallet_transactions.id
                    AND NOT (invoices.status = 1 AND invoices.payment_status = 1))
