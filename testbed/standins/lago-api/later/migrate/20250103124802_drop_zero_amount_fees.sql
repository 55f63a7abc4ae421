-- Of invoices that are finalized, voided or closed.
DELETE FROM fees USING invoices
WHERE fees.invoice_id = invoices.id AND invoices.status IN (1, 2, 6) AND fees.fee_type = 'charge'
  AND fees.amount_cents = 0 AND fees.units = 0 AND NOT fees.pay_in_advance;
