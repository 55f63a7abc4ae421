# frozen_string_literal: true

# Billable metrics: what is counted.
module Metrics
  TYPES = %w[count_agg sum_agg max_agg unique_count_agg recurring_count_agg weighted_sum_agg latest_agg custom_agg].freeze
  NEVER_RECURRING = %w[count_agg max_agg latest_agg].freeze
  TEXTS = %w[name code description field_name expression rounding_function rounding_precision weighted_interval].freeze

  class << self
    def of(organization) = db[:billable_metrics].where(organization_id: organization[:id], deleted_at: nil)

    def create(organization, values)
      check(values, taken: !!of(organization).first(code: values["code"].to_s))
      row = db.insert(:billable_metrics, attributes(values).merge(organization_id: organization[:id]))
      SegmentTrackJob.perform_later("billable_metric_created")
      row
    end

    def update(row, values)
      merged = serialize(row).transform_keys(&:to_s).slice(*TEXTS, "aggregation_type", "recurring").merge(values)
      taken = merged["code"] != row[:code] && of({id: row[:organization_id]}).first(code: merged["code"].to_s)
      check(merged, taken: !!taken)
      db.update(:billable_metrics, row, attributes(merged))
    end

    # Synchronous, with its charges; the events go later.
    def destroy(row)
      now = Time.now.utc
      db.transaction do
        db.update(:billable_metrics, row, deleted_at: now)
        db[:charges].where(billable_metric_id: row[:id]).update(deleted_at: now)
      end
      BillableMetrics::DeleteEventsJob.perform_later(Standin::Job::Record.new("BillableMetric", row[:id]))
    end

    # The answer about one metric alone counts nothing in later releases.
    def shown(row) = Standin::Release.since?("v1.25.0") ? serialize(row).except(*counts(row).keys) : serialize(row)

    def serialize(row)
      {
        lago_id: row[:id], name: row[:name], code: row[:code], description: row[:description],
        aggregation_type: TYPES.fetch(row[:aggregation_type]), weighted_interval: row[:weighted_interval],
        recurring: row[:recurring], rounding_function: row[:rounding_function],
        rounding_precision: row[:rounding_precision], created_at: Text.time(row[:created_at]),
        field_name: row[:field_name], expression: row[:expression], **counts(row), filters: []
      }
    end

    private

    def db = Standin::Database

    def attributes(values)
      values.slice(*TEXTS).transform_keys(&:to_sym).merge(
        aggregation_type: TYPES.index(values["aggregation_type"]), recurring: values["recurring"] == true
      )
    end

    def check(values, taken:)
      problems = Hash.new { |hash, key| hash[key] = [] }
      %w[name code].each { |name| problems[name.to_sym] << "value_is_mandatory" if values[name].to_s.strip.empty? }
      problems[:code] << "value_already_exist" if taken
      type = values["aggregation_type"]
      problems[:field_name] << "value_is_mandatory" if type != "count_agg" && type != "custom_agg" && values["field_name"].to_s.empty?
      problems[:aggregation_type] << "value_is_invalid" unless TYPES.include?(type)
      problems[:recurring] << "not_compatible_with_aggregation_type" if values["recurring"] == true && NEVER_RECURRING.include?(type)
      raise Standin::Refusal.invalid(**problems) unless problems.empty?
    end

    # Later releases don't count.
    def counts(row)
      return {active_subscriptions_count: 0, draft_invoices_count: 0, plans_count: 0} if Standin::Release.since?("v1.25.0")

      plans = db[:charges].where(billable_metric_id: row[:id], deleted_at: nil).select(:plan_id)
      {
        active_subscriptions_count: db[:subscriptions].where(plan_id: plans, status: Subscriptions::ACTIVE).count,
        draft_invoices_count: 0, plans_count: plans.distinct.count
      }
    end
  end
end
