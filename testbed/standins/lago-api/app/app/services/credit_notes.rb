# frozen_string_literal: true

# What was paid in advance and not used comes back as a credit note.
module CreditNotes
  class << self
    def for_termination(subscription, upgrade:)
      fee = db[:fees].where(subscription_id: subscription[:id], fee_type: "subscription", pay_in_advance: true).reverse(:created_at).first
      amount = fee ? unused(fee, subscription, upgrade) : 0
      return unless amount.positive?

      invoice = db[:invoices].first(id: fee[:invoice_id])
      number = db[:credit_notes].where(invoice_id: invoice[:id]).max(:sequential_id).to_i + 1
      row = db.insert(:credit_notes, customer_id: subscription[:customer_id], invoice_id: invoice[:id], fee_id: fee[:id],
        sequential_id: number, number: format("%s-CN%03d", invoice[:number], number), reason: "order_cancellation",
        credit_amount_currency: fee[:amount_currency], credit_amount_cents: amount, balance_amount_cents: amount, issuing_date: Time.now.utc.to_date)
      Webhooks.send_later("credit_note.created", row[:id])
    end

    def serialize(row)
      invoice = db[:invoices].first(id: row[:invoice_id])
      {
        lago_id: row[:id], sequential_id: row[:sequential_id], number: row[:number], lago_invoice_id: invoice[:id],
        invoice_number: invoice[:number], issuing_date: row[:issuing_date].iso8601,
        credit_status: row[:balance_amount_cents].zero? ? "consumed" : "available", refund_status: nil, reason: row[:reason],
        description: nil, currency: row[:credit_amount_currency], total_amount_cents: row[:credit_amount_cents], taxes_amount_cents: 0,
        sub_total_excluding_taxes_amount_cents: row[:credit_amount_cents], balance_amount_cents: row[:balance_amount_cents],
        credit_amount_cents: row[:credit_amount_cents], refund_amount_cents: 0, coupons_adjustment_amount_cents: 0,
        taxes_rate: 0.0, created_at: Text.time(row[:created_at]), updated_at: Text.time(row[:updated_at]), file_url: nil,
        customer: Customers.serialize(db[:customers].first(id: row[:customer_id])),
        items: [{lago_id: row[:item_id], amount_cents: row[:credit_amount_cents], amount_currency: row[:credit_amount_currency],
                 fee: Fees.serialize(db[:fees].first(id: row[:fee_id]))}],
        applied_taxes: [], **(Standin::Release.since?("v1.25.0") ? added(invoice) : {})
      }
    end

    private

    def db = Standin::Database

    def added(invoice) = {billing_entity_code: Organizations.billing_entity_code(invoice), self_billed: invoice[:self_billed]}

    # By days; the day of an upgrade belongs to the new plan, the day of an end to the old one.
    def unused(fee, subscription, upgrade)
      first, last = fee[:from_datetime].utc.to_date, fee[:to_datetime].utc.to_date
      from = subscription[:terminated_at].utc.to_date + (upgrade ? 0 : 1)
      return 0 if from > last

      (fee[:amount_cents].to_r * (last - from + 1).to_i / (last - first + 1).to_i).round
    end
  end
end
