# frozen_string_literal: true

# The charges of a plan: a metric, a model and the model's properties.
module Charges
  MODELS = %w[standard graduated package percentage volume graduated_percentage custom dynamic].freeze
  PROPERTIES = {
    "standard" => %w[amount grouped_by], "graduated" => %w[graduated_ranges], "volume" => %w[volume_ranges],
    "package" => %w[amount free_units package_size], "custom" => %w[custom_properties],
    "graduated_percentage" => %w[graduated_percentage_ranges], "dynamic" => [],
    "percentage" => %w[rate fixed_amount free_units_per_events free_units_per_total_aggregation
                       per_transaction_max_amount per_transaction_min_amount]
  }.freeze
  PREMIUM = %w[graduated_percentage].freeze

  class << self
    def of(plan) = db[:charges].where(plan_id: plan[:id], deleted_at: nil).order(:created_at).all

    def check_references(organization, charges)
      ids = (charges || []).map { |charge| charge["billable_metric_id"] }.compact.uniq
      known = Metrics.of(organization).where(id: ids.select { |id| Text.uuid?(id) }).count
      raise Standin::Refusal.not_found("billable_metrics") unless known == ids.size
    end

    # What has no id is added, what isn't named is removed.
    def replace(plan, charges)
      return if charges.nil?

      kept = charges.filter_map { |charge| charge["id"] }
      db[:charges].where(plan_id: plan[:id], deleted_at: nil).exclude(id: kept).update(deleted_at: Time.now.utc)
      charges.each { |charge| store(plan, charge) }
    end

    def serialize(row)
      {
        lago_id: row[:id], lago_billable_metric_id: row[:billable_metric_id], invoice_display_name: row[:invoice_display_name],
        billable_metric_code: metric(row)[:code], created_at: Text.time(row[:created_at]), charge_model: model(row),
        invoiceable: row[:invoiceable], regroup_paid_fees: nil, pay_in_advance: row[:pay_in_advance],
        prorated: row[:prorated], min_amount_cents: row[:min_amount_cents], properties: row[:properties].to_h,
        filters: [], taxes: []
      }
    end

    def model(row) = MODELS.fetch(row[:charge_model])

    def metric(row) = db[:billable_metrics].first(id: row[:billable_metric_id])

    private

    def db = Standin::Database

    def store(plan, values)
      model = values["charge_model"].to_s
      raise ArgumentError, "'#{model}' is not a valid charge_model" unless model.empty? || MODELS.include?(model)
      raise Standin::Refusal.invalid(charge_model: ["value_is_mandatory"]) if model.empty?

      # Keys that the model doesn't know are dropped without a word.
      properties = (values["properties"] || {}).slice(*PROPERTIES.fetch(model))
      problems = ChargeProperties.problems(model, properties)
      raise Standin::Refusal.invalid(properties: problems) unless problems.empty?
      raise Standin::Refusal.forbidden("feature_unavailable") if PREMIUM.include?(model) && !Rails.application.premium

      write(plan, values, charge_model: MODELS.index(model), properties: Sequel.pg_jsonb_wrap(properties))
    end

    def write(plan, values, **attributes)
      attributes.update(
        invoice_display_name: values["invoice_display_name"], pay_in_advance: values["pay_in_advance"] == true,
        prorated: values["prorated"] == true, min_amount_cents: values["min_amount_cents"].to_i
      )
      return db.update(:charges, {id: values["id"]}, attributes) if values["id"]

      db.insert(:charges, attributes.merge(plan_id: plan[:id], billable_metric_id: values["billable_metric_id"]))
    end
  end
end
