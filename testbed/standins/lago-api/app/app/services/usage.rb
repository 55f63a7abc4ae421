# frozen_string_literal: true

require "bigdecimal/util"

# Usage of a subscription, charge by charge: counted in PostgreSQL, and kept in the cache until the worker expires it.
module Usage
  Counted = Struct.new(:units, :events_count, :amount_cents)

  class << self
    def current(subscription, plan)
      from, to = Periods.usage(subscription, Subscriptions.period(subscription))
      charges = Charges.of(plan).map { |charge| [charge, cached(charge, subscription, plan, from, to)] }
      [from, to, charges]
    end

    # Of one charge between two times, straight from the events.
    def count(charge, subscription, plan, from, to)
      metric = Charges.metric(charge)
      events = Standin::Database[:events].where(
        organization_id: metric[:organization_id], external_subscription_id: subscription[:external_id],
        code: metric[:code], timestamp: from..to, deleted_at: nil
      )
      number = events.count
      units = aggregate(metric, events, number)
      amount = ChargeAmount.of(Charges.model(charge), charge[:properties], units, number)
      Counted.new(units, number, (amount * Currency.units(plan[:amount_currency])).round)
    end

    private

    def cached(charge, subscription, plan, from, to)
      fields = UsageCache.fetch(charge, subscription, until_time: to) do
        counted = count(charge, subscription, plan, from, to)
        {"units" => Text.decimal(counted.units), "events_count" => counted.events_count, "amount_cents" => counted.amount_cents}
      end
      Counted.new(fields["units"].to_d, fields["events_count"], fields["amount_cents"])
    end

    def aggregate(metric, events, number)
      type = Metrics::TYPES.fetch(metric[:aggregation_type])
      return number.to_d if type == "count_agg"

      value = Sequel.lit("(properties ->> ?)", metric[:field_name])
      case type
      when "unique_count_agg" then events.distinct.select(value).count.to_d
      when "latest_agg" then events.reverse(:timestamp).get(value).to_s.to_d
      when "max_agg" then (events.max(Sequel.cast(value, :numeric)) || 0).to_d
      when "sum_agg", "weighted_sum_agg" then (events.sum(Sequel.cast(value, :numeric)) || 0).to_d
      else raise NotImplementedError, "aggregation #{type} is not counted by the stand-in"
      end
    end
  end
end
