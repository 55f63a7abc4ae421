# frozen_string_literal: true

# Makes the invoice of one or more subscriptions of a customer.
module Billing
  class << self
    # Nil when these subscriptions were billed for this reason and period before.
    def bill(subscriptions, reason)
      customer = Subscriptions.customer(subscriptions.first)
      fees = subscriptions.flat_map { |subscription| fees(subscription, reason) }
      return if billed?(subscriptions.last, fees, reason)

      invoice = db.transaction { store(customer, subscriptions, fees, reason) }
      finalized(invoice)
    end

    private

    def db = Standin::Database

    def fees(subscription, reason)
      plan = Subscriptions.plan(subscription)
      current = Subscriptions.period(subscription)
      ended = subscription[:status] == Subscriptions::TERMINATED
      past = ended ? current : Periods.at(subscription, plan, current.first - 1)
      arrears = ended || reason == "subscription_periodic"
      billed = plan[:pay_in_advance] ? (current unless ended) : (past if arrears)
      [
        (subscription_fee(subscription, plan, billed) if billed && !trial?(subscription, plan)),
        *(charge_fees(subscription, plan, past) if arrears)
      ].compact
    end

    def trial?(subscription, plan)
      days = plan[:trial_period].to_f
      days.positive? && Time.now.utc < subscription[:started_at] + days * 86_400
    end

    # The plan's amount, by days when the subscription began or ended within the period.
    def subscription_fee(subscription, plan, period)
      first = [period.first, subscription[:started_at].utc.to_date].max
      last = [period.last, subscription[:terminated_at]&.utc&.to_date].compact.min
      amount = (plan[:amount_cents].to_r * (last - first + 1).to_i / period.days).round
      {
        subscription_id: subscription[:id], fee_type: "subscription", amount_cents: amount, units: 1,
        amount_currency: plan[:amount_currency], precise_unit_amount: amount.to_d / Currency.units(plan[:amount_currency]),
        pay_in_advance: plan[:pay_in_advance], amount_details: Sequel.pg_jsonb_wrap({plan_amount_cents: plan[:amount_cents]}),
        from_datetime: Periods::Period.new(first, last).start, to_datetime: Periods::Period.new(first, last).finish
      }
    end

    def charge_fees(subscription, plan, period)
      from, to = Periods.usage(subscription, period)
      Charges.of(plan).filter_map do |charge|
        counted = Usage.count(charge, subscription, plan, from, to)
        next if counted.units.zero?

        {
          subscription_id: subscription[:id], charge_id: charge[:id], fee_type: "charge", amount_cents: counted.amount_cents,
          amount_currency: plan[:amount_currency], units: counted.units, events_count: counted.events_count,
          precise_unit_amount: counted.amount_cents.to_d / Currency.units(plan[:amount_currency]) / counted.units,
          from_datetime: from, to_datetime: to
        }
      end
    end

    def billed?(subscription, fees, reason)
      earlier = db[:invoice_subscriptions].where(subscription_id: subscription[:id], invoicing_reason: reason)
      return earlier.any? unless reason == "subscription_periodic"

      starts = fees.map { |fee| fee[:from_datetime] }
      db[:fees].where(subscription_id: subscription[:id], from_datetime: starts).any?
    end

    def store(customer, subscriptions, fees, reason)
      db[:customers].where(id: customer[:id]).for_update.first
      today = Time.now.utc.to_date
      organization = Organization.find(customer[:organization_id])
      term = customer[:net_payment_term] || organization[:net_payment_term]
      invoice = db.insert(:invoices, organization_id: organization[:id], customer_id: customer[:id], issuing_date: today,
        payment_due_date: today + term, net_payment_term: term, status: Invoices::GENERATING, currency: customer[:currency],
        timezone: customer[:timezone] || organization[:timezone])
      subscriptions.each do |subscription|
        db.insert(:invoice_subscriptions, invoice_id: invoice[:id], subscription_id: subscription[:id], invoicing_reason: reason, timestamp: Time.now.utc)
      end
      fees.each { |fee| db.insert(:fees, fee.merge(invoice_id: invoice[:id])) }
      amount = fees.sum { |fee| fee[:amount_cents] }
      amounts = Credits.apply(invoice, customer, amount)
      db.update(:invoices, invoice, fees_amount_cents: amount, **amounts, **number(organization, customer),
        status: Invoices::FINALIZED, payment_status: amounts[:total_amount_cents].zero? ? 1 : 0)
    end

    def number(organization, customer)
      sequential = db[:invoices].where(customer_id: customer[:id]).max(:sequential_id).to_i + 1
      return {sequential_id: sequential, number: format("%s-%03d", customer[:slug], sequential)} if organization[:document_numbering] == "per_customer"

      month = Time.now.utc.strftime("%Y%m")
      count = db[:invoices].where(organization_id: organization[:id], status: Invoices::FINALIZED).count + 1
      {sequential_id: sequential, number: format("%s-%s-%03d", organization[:document_number_prefix], month, count)}
    end

    def finalized(invoice)
      Webhooks.send_later("invoice.created", invoice[:id])
      Invoices::GeneratePdfJob.perform_later(Standin::Job::Record.new("Invoice", invoice[:id]))
      SegmentTrackJob.perform_later("invoice_created")
      Wallets.refresh_all(invoice[:customer_id])
      invoice
    end
  end
end
