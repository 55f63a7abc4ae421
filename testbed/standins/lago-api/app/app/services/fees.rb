# frozen_string_literal: true

module Fees
  class << self
    def of(organization) = db[:fees].where(invoice_id: Invoices.of(organization).select(:id))

    def serialize(row)
      invoice = db[:invoices].first(id: row[:invoice_id])
      subscription = db[:subscriptions].first(id: row[:subscription_id])
      amount = Text.decimal(row[:amount_cents].to_d / Currency.units(row[:amount_currency]))
      {
        lago_id: row[:id], lago_charge_id: row[:charge_id], lago_charge_filter_id: nil, lago_invoice_id: row[:invoice_id],
        lago_true_up_fee_id: nil, lago_true_up_parent_fee_id: nil, lago_subscription_id: subscription[:id],
        external_subscription_id: subscription[:external_id], lago_customer_id: subscription[:customer_id],
        external_customer_id: Subscriptions.customer(subscription)[:external_id], item: item(row, subscription),
        pay_in_advance: row[:pay_in_advance], invoiceable: true, amount_cents: row[:amount_cents],
        amount_currency: row[:amount_currency], precise_amount: amount, precise_total_amount: amount, taxes_amount_cents: 0,
        taxes_precise_amount: "0.0", taxes_rate: 0.0, total_amount_cents: row[:amount_cents],
        total_amount_currency: row[:amount_currency], units: Text.decimal(row[:units]), description: nil,
        precise_unit_amount: Text.decimal(row[:precise_unit_amount]), precise_coupons_amount_cents: "0.0",
        events_count: row[:events_count], payment_status: Invoices::PAYMENT_STATUSES.fetch(invoice[:payment_status]),
        created_at: Text.time(row[:created_at]), succeeded_at: nil, failed_at: nil, refunded_at: nil,
        amount_details: row[:amount_details].to_h, from_date: date(row[:from_datetime]), to_date: date(row[:to_datetime]),
        **(Standin::Release.since?("v1.25.0") ? {self_billed: invoice[:self_billed]} : {})
      }
    end

    private

    def db = Standin::Database

    def date(time) = time.utc.strftime("%Y-%m-%dT%H:%M:%S+00:00")

    def item(row, subscription)
      charge = row[:charge_id] && db[:charges].first(id: row[:charge_id])
      metric = charge && Charges.metric(charge)
      named = metric || Subscriptions.plan(subscription)
      {
        type: row[:fee_type], code: named[:code], name: named[:name], description: named[:description],
        invoice_display_name: charge ? charge[:invoice_display_name] : named[:invoice_display_name], filters: nil,
        filter_invoice_display_name: nil, lago_item_id: charge ? metric[:id] : subscription[:id],
        item_type: charge ? "BillableMetric" : "Subscription", grouped_by: {}
      }
    end
  end
end
