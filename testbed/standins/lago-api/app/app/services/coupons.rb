# frozen_string_literal: true

module Coupons
  TYPES = %w[fixed_amount percentage].freeze
  FREQUENCIES = %w[once recurring forever].freeze
  EXPIRATIONS = %w[no_expiration time_limit].freeze
  ACTIVE, TERMINATED = 0, 1

  class << self
    def of(organization) = db[:coupons].where(organization_id: organization[:id], deleted_at: nil)

    def applied(organization)
      db[:applied_coupons].where(customer_id: db[:customers].where(organization_id: organization[:id]).select(:id))
    end

    def create(organization, values)
      check(organization, values)
      db.insert(:coupons, organization_id: organization[:id], **values.slice("name", "code", "description", "amount_cents",
        "amount_currency", "percentage_rate", "frequency_duration").transform_keys(&:to_sym), reusable: values["reusable"] != false,
        coupon_type: TYPES.index(values["coupon_type"]), frequency: FREQUENCIES.index(values["frequency"]),
        expiration: EXPIRATIONS.index(values["expiration"]), expiration_at: Text.parse_time(values["expiration_at"]))
    end

    # With what was given of it to customers.
    def destroy(row)
      db.transaction do
        db.update(:coupons, row, deleted_at: Time.now.utc)
        db[:applied_coupons].where(coupon_id: row[:id], status: ACTIVE).update(status: TERMINATED, terminated_at: Time.now.utc)
      end
    end

    def apply(organization, values)
      customer = Customers.of(organization).first(external_id: values["external_customer_id"].to_s) ||
        raise(Standin::Refusal.not_found("customer"))
      coupon = of(organization).first(code: values["coupon_code"].to_s) || raise(Standin::Refusal.not_found("coupon"))
      db.insert(:applied_coupons, coupon_id: coupon[:id], customer_id: customer[:id], **coupon.slice(:amount_cents,
        :amount_currency, :percentage_rate, :frequency, :frequency_duration), frequency_duration_remaining: coupon[:frequency_duration])
    end

    # Used on an invoice: one that counts once is over.
    def use(applied)
      remaining = applied[:frequency_duration_remaining]&.pred
      over = FREQUENCIES[applied[:frequency]] == "once" || remaining&.zero?
      db.update(:applied_coupons, applied, frequency_duration_remaining: remaining,
        **(over ? {status: TERMINATED, terminated_at: Time.now.utc} : {}))
    end

    def serialize(row)
      {
        lago_id: row[:id], **row.slice(:name, :code, :description), coupon_type: TYPES.fetch(row[:coupon_type]),
        amount_cents: row[:amount_cents], amount_currency: row[:amount_currency], percentage_rate: Text.decimal(row[:percentage_rate]),
        frequency: FREQUENCIES.fetch(row[:frequency]), frequency_duration: row[:frequency_duration], reusable: row[:reusable],
        limited_plans: false, limited_billable_metrics: false, plan_codes: [], billable_metric_codes: [],
        created_at: Text.time(row[:created_at]), expiration: EXPIRATIONS.fetch(row[:expiration]),
        expiration_at: Text.time(row[:expiration_at]), terminated_at: Text.time(row[:terminated_at])
      }
    end

    def serialize_applied(row)
      coupon, customer = db[:coupons].first(id: row[:coupon_id]), db[:customers].first(id: row[:customer_id])
      {
        lago_id: row[:id], lago_coupon_id: coupon[:id], coupon_code: coupon[:code], coupon_name: coupon[:name],
        lago_customer_id: customer[:id], external_customer_id: customer[:external_id], status: %w[active terminated].fetch(row[:status]),
        amount_cents: row[:amount_cents], amount_cents_remaining: row[:amount_cents], amount_currency: row[:amount_currency],
        percentage_rate: Text.decimal(row[:percentage_rate]), frequency: FREQUENCIES.fetch(row[:frequency]),
        **row.slice(:frequency_duration, :frequency_duration_remaining), expiration_at: Text.time(coupon[:expiration_at]),
        created_at: Text.time(row[:created_at]), terminated_at: Text.time(row[:terminated_at])
      }
    end

    private

    def db = Standin::Database

    def check(organization, values)
      problems = {}
      problems[:name] = ["value_is_mandatory"] if values["name"].to_s.empty?
      {"coupon_type" => TYPES, "frequency" => FREQUENCIES, "expiration" => EXPIRATIONS}.each do |name, known|
        problems[name.to_sym] = ["value_is_invalid"] unless known.include?(values[name])
      end
      problems[:code] = ["value_already_exist"] if values["code"] && of(organization).first(code: values["code"])
      raise Standin::Refusal.invalid(**problems) unless problems.empty?
    end
  end
end
