# frozen_string_literal: true

# Reading invoices; making them is Billing's.
module Invoices
  TYPES = %w[subscription add_on credit one_off advance_charges progressive_billing].freeze
  STATUSES = %w[draft finalized voided generating failed open closed].freeze
  VISIBLE = %w[draft finalized voided failed].map { |name| STATUSES.index(name) }.freeze
  PAYMENT_STATUSES = %w[pending succeeded failed].freeze
  FINALIZED, GENERATING = 1, 3

  class << self
    def of(organization) = db[:invoices].where(organization_id: organization[:id], status: VISIBLE)

    def serialize(row)
      subtotal = row[:fees_amount_cents] - row[:coupons_amount_cents]
      {
        lago_id: row[:id], sequential_id: row[:sequential_id], number: row[:number], issuing_date: row[:issuing_date].iso8601,
        payment_due_date: row[:payment_due_date].iso8601, net_payment_term: row[:net_payment_term],
        invoice_type: TYPES.fetch(row[:invoice_type]), status: STATUSES.fetch(row[:status]),
        payment_status: PAYMENT_STATUSES.fetch(row[:payment_status]),
        payment_dispute_lost_at: Text.time(row[:payment_dispute_lost_at]), payment_overdue: row[:payment_overdue],
        currency: row[:currency], fees_amount_cents: row[:fees_amount_cents], taxes_amount_cents: 0,
        progressive_billing_credit_amount_cents: 0, coupons_amount_cents: row[:coupons_amount_cents],
        credit_notes_amount_cents: row[:credit_notes_amount_cents], sub_total_excluding_taxes_amount_cents: subtotal,
        sub_total_including_taxes_amount_cents: subtotal, total_amount_cents: row[:total_amount_cents],
        prepaid_credit_amount_cents: row[:prepaid_credit_amount_cents], file_url: Files.url(Files.of("Invoice", row[:id])), version_number: 4,
        **(Standin::Release.since?("v1.25.0") ? added(row) : {})
      }
    end

    def with_customer(row, **more) = serialize(row).merge(customer: Customers.serialize(db[:customers].first(id: row[:customer_id])).merge(more))

    def listed(row) = with_customer(row, **Customers.integrations).merge(metadata: [], applied_taxes: [])

    def delivered(row) = with_customer(row).merge(**parts(row), applied_taxes: [])

    def shown(row)
      with_customer(row, **Customers.integrations).merge(**parts(row), metadata: [], applied_taxes: [], error_details: [])
    end

    private

    def db = Standin::Database

    def added(row)
      {
        billing_entity_code: Organizations.billing_entity_code(row), self_billed: row[:self_billed],
        total_due_amount_cents: row[:total_amount_cents] - row[:total_paid_amount_cents],
        created_at: Text.time(row[:created_at]), updated_at: Text.time(row[:updated_at])
      }
    end

    def parts(row)
      subscriptions = db[:subscriptions].where(id: db[:invoice_subscriptions].where(invoice_id: row[:id]).select(:subscription_id))
      {
        subscriptions: subscriptions.order(:created_at).map { |subscription| Subscriptions.serialize(subscription) },
        fees: db[:fees].where(invoice_id: row[:id]).order(:created_at).map { |fee| Fees.serialize(fee) },
        credits: db[:credits].where(invoice_id: row[:id]).order(:created_at).map { |credit| Credits.serialize(credit) }
      }
    end
  end
end
