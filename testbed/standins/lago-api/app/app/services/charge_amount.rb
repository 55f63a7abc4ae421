# frozen_string_literal: true

require "bigdecimal/util"

# What units cost under a charge's model, in units of the currency.
module ChargeAmount
  class << self
    def of(model, properties, units, events)
      return 0.to_d if units.zero?

      case model
      when "standard" then units * properties["amount"].to_d
      when "package" then package(properties, units)
      when "graduated" then properties["graduated_ranges"].sum(0.to_d) { |range| graduated(range, units) }
      when "volume" then volume(properties["volume_ranges"], units)
      when "percentage" then percentage(properties, units, events)
      else raise NotImplementedError, "charge model #{model} is not priced by the stand-in"
      end
    end

    private

    def package(properties, units)
      beyond = [units - properties["free_units"], 0].max
      (beyond / properties["package_size"]).ceil * properties["amount"].to_d
    end

    def graduated(range, units)
      below = [range["from_value"] - 1, 0].max
      inside = [units, range["to_value"] || units].min - below
      inside.positive? ? inside * range["per_unit_amount"].to_d + range["flat_amount"].to_d : 0
    end

    # One range prices all units.
    def volume(ranges, units)
      range = ranges.find { |candidate| candidate["to_value"].nil? || units <= candidate["to_value"] }
      units * range["per_unit_amount"].to_d + range["flat_amount"].to_d
    end

    def percentage(properties, units, events)
      free = properties["free_units_per_total_aggregation"].to_s.to_d
      paid_events = [events - properties["free_units_per_events"].to_i, 0].max
      [units - free, 0].max * properties["rate"].to_d / 100 + paid_events * properties["fixed_amount"].to_s.to_d
    end
  end
end
