# frozen_string_literal: true

# Plans with their charges.
module Plans
  INTERVALS = %w[weekly monthly yearly quarterly].freeze
  PER_YEAR = {"weekly" => 52, "monthly" => 12, "quarterly" => 4, "yearly" => 1}.freeze
  TEXTS = %w[name invoice_display_name description].freeze

  class << self
    def of(organization) = db[:plans].where(organization_id: organization[:id], deleted_at: nil, parent_id: nil)

    def create(organization, values)
      Charges.check_references(organization, values["charges"])
      check_taxes(values["tax_codes"])
      attributes = attributes(values)
      check(values, taken: !!of(organization).first(code: values["code"].to_s))
      row = db.transaction do
        db.insert(:plans, attributes.merge(organization_id: organization[:id])).tap { |plan| Charges.replace(plan, values["charges"]) }
      end
      SegmentTrackJob.perform_later("plan_created")
      row
    end

    # With subscriptions the code, the interval, the currency and the time of payment stay as they are.
    def update(organization, row, values)
      Charges.check_references(organization, values["charges"])
      check_taxes(values["tax_codes"])
      interval = values["interval"] || INTERVALS.fetch(row[:interval])
      changes = attributes({**values, "interval" => interval}).slice(*values.keys.map(&:to_sym))
      taken = values.key?("code") && values["code"] != row[:code] && of(organization).first(code: values["code"])
      check(values, taken: !!taken, given: values.keys.map(&:to_sym))
      changes = changes.except(:code, :interval, :amount_currency, :pay_in_advance) if db[:subscriptions].where(plan_id: row[:id]).any?
      db.transaction do
        Charges.replace(row, values["charges"]) if values.key?("charges")
        db.update(:plans, row, changes)
      end
    end

    # Only marked: the worker deletes, and until then the plan is there and its code is taken.
    def destroy(row)
      db.update(:plans, row, pending_deletion: true)
      DestroyJob.perform_later(Standin::Job::Record.new("Plan", row[:id]))
    end

    # A year's price, by which plans are compared.
    def yearly_amount(row) = row[:amount_cents] * PER_YEAR.fetch(INTERVALS.fetch(row[:interval]))

    def serialize(row)
      active = db[:subscriptions].where(plan_id: row[:id], status: Subscriptions::ACTIVE)
      # Later releases always say 0.
      active = active.where(false) if Standin::Release.since?("v1.25.0")
      {
        lago_id: row[:id], name: row[:name], invoice_display_name: row[:invoice_display_name],
        created_at: Text.time(row[:created_at]), code: row[:code], interval: INTERVALS.fetch(row[:interval]),
        description: row[:description], amount_cents: row[:amount_cents], amount_currency: row[:amount_currency],
        trial_period: row[:trial_period], pay_in_advance: row[:pay_in_advance],
        bill_charges_monthly: row[:bill_charges_monthly], customers_count: active.distinct.select(:customer_id).count,
        active_subscriptions_count: active.count, draft_invoices_count: 0, parent_id: row[:parent_id],
        charges: Charges.of(row).map { |charge| Charges.serialize(charge) }, usage_thresholds: [], taxes: []
      }
    end

    private

    def db = Standin::Database

    def attributes(values)
      interval = values["interval"].to_s
      # An enum's setter: not a validation, hence not a 422.
      raise ArgumentError, "'#{interval}' is not a valid interval" unless interval.empty? || INTERVALS.include?(interval)

      {
        **TEXTS.to_h { |name| [name.to_sym, values[name]] }, code: values["code"], interval: INTERVALS.index(interval),
        amount_cents: values["amount_cents"].to_i, amount_currency: values["amount_currency"],
        trial_period: values["trial_period"]&.to_f, pay_in_advance: values["pay_in_advance"],
        bill_charges_monthly: (values["bill_charges_monthly"] if interval == "yearly")
      }
    end

    # A change is held to what it gives alone.
    def check(values, taken:, given: nil)
      problems = {}
      %w[name code interval].each { |name| problems[name.to_sym] = ["value_is_mandatory"] if values[name].to_s.strip.empty? }
      problems[:code] = ["value_already_exist"] if taken
      problems[:amount_currency] = ["value_is_invalid"] unless Currency.known?(values["amount_currency"])
      problems[:pay_in_advance] = ["value_is_invalid"] unless [true, false].include?(values["pay_in_advance"])
      problems.merge!(amount_problems(values["amount_cents"])) if given.nil? || given.include?(:amount_cents)
      problems = problems.slice(*given, :amount) if given
      raise Standin::Refusal.invalid(**problems) unless problems.empty?
    end

    # A fraction is taken and cut off; so is a negative amount.
    def amount_problems(amount)
      return {amount_cents: ["is not a number"], amount: ["is not a number"]} if amount.nil?

      Float(amount.to_s, exception: false) ? {} : {amount_cents: ["is not a number"]}
    end

    # No taxes are modelled, so every code is an unknown one.
    def check_taxes(codes) = (raise Standin::Refusal.not_found("tax") unless codes.nil? || codes.empty?)
  end
end
