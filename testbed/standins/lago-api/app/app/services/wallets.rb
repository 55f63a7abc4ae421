# frozen_string_literal: true

# Prepaid credits of a customer: one active wallet at most. Balances are in credits; money is credits times rate.
module Wallets
  ACTIVE, TERMINATED = 0, 1
  STATUSES = %w[active terminated].freeze

  class << self
    def of(organization)
      db[:wallets].where(customer_id: db[:customers].where(organization_id: organization[:id]).select(:id))
    end

    def active(customer_id) = db[:wallets].where(customer_id: customer_id, status: ACTIVE)

    def create(organization, values)
      customer = Customers.of(organization).first(external_id: values["external_customer_id"].to_s)
      check(customer, values)
      currency = values["currency"] || customer[:currency]
      Customers.settle_currency(customer, currency)
      row = db.insert(:wallets, customer_id: customer[:id], balance_currency: currency, name: values["name"],
        rate_amount: values["rate_amount"].to_d, expiration_at: Text.parse_time(values["expiration_at"]))
      WalletTransactions::CreateJob.perform_later(organization[:id], row[:id], values["paid_credits"].to_s, values["granted_credits"].to_s)
      SegmentTrackJob.perform_later("wallet_created")
      row
    end

    def terminate(row) = db.update(:wallets, row, status: TERMINATED, terminated_at: Time.now.utc)

    # Takes up to this amount from the customer's wallet; gives what it took, in cents.
    def spend(customer, cents)
      row = active(customer[:id]).first(balance_currency: customer[:currency])
      taken = row ? [cents(row, row[:credits_balance]), cents].min : 0
      return 0 unless taken.positive?

      credits = credits(row, taken)
      db.update(:wallets, row, **balance(row, row[:credits_balance] - credits),
        consumed_credits: row[:consumed_credits] + credits, last_consumed_credit_at: Time.now.utc)
      taken
    end

    # What a balance of this many credits is stored as.
    def balance(row, credits) = {credits_balance: credits, balance_cents: cents(row, credits)}

    def refresh_all(customer_id) = active(customer_id).all.each { |row| refresh(row) }

    # Counts the running usage against the balance, and tells when that leaves nothing.
    def refresh(row)
      used = credits(row, running_usage(row))
      ongoing = row[:credits_balance] - used
      changed = db.update(:wallets, row, credits_ongoing_usage_balance: used, credits_ongoing_balance: ongoing, last_balance_sync_at: Time.now.utc)
      Webhooks.send_later("wallet.depleted_ongoing_balance", row[:id]) if row[:credits_ongoing_balance].positive? && !ongoing.positive?
      changed
    end

    def serialize(row)
      ongoing, used = row.values_at(:credits_ongoing_balance, :credits_ongoing_usage_balance)
      {
        lago_id: row[:id], lago_customer_id: row[:customer_id], external_customer_id: db[:customers].first(id: row[:customer_id])[:external_id],
        status: STATUSES.fetch(row[:status]), currency: row[:balance_currency], name: row[:name], rate_amount: Text.decimal(row[:rate_amount]),
        credits_balance: Text.decimal(row[:credits_balance]), credits_ongoing_balance: Text.decimal(ongoing),
        credits_ongoing_usage_balance: Text.decimal(used), balance_cents: row[:balance_cents],
        ongoing_balance_cents: cents(row, ongoing), ongoing_usage_balance_cents: cents(row, used),
        consumed_credits: Text.decimal(row[:consumed_credits]),
        **%i[created_at expiration_at last_balance_sync_at last_consumed_credit_at terminated_at].to_h { |name| [name, Text.time(row[name])] },
        invoice_requires_successful_payment: false
      }
    end

    private

    def db = Standin::Database

    def cents(row, credits) = (credits * row[:rate_amount] * Currency.units(row[:balance_currency])).round

    def credits(row, cents) = (cents.to_d / Currency.units(row[:balance_currency]) / row[:rate_amount]).round(5)

    def running_usage(row)
      db[:subscriptions].where(customer_id: row[:customer_id], status: Subscriptions::ACTIVE).all.sum do |subscription|
        Usage.current(subscription, Subscriptions.plan(subscription)).last.sum { |_, counted| counted.amount_cents }
      end
    end

    def check(customer, values)
      problems = {}
      problems[:customer] = ["customer_not_found"] unless customer
      problems[:customer] = ["wallet_already_exists"] if customer && active(customer[:id]).any?
      problems[:rate_amount] = ["invalid_rate_amount"] unless values["rate_amount"].to_s.to_d.positive?
      %w[paid_credits granted_credits].each do |name|
        problems[name.to_sym] = ["invalid_#{name}"] if values[name] && !Float(values[name].to_s, exception: false)
      end
      raise Standin::Refusal.invalid(**problems) unless problems.empty?
    end
  end
end
