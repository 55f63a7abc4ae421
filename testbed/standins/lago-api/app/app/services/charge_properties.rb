# frozen_string_literal: true

# What Lago finds wrong with the properties of a charge. Amounts are strings, counts are integers.
module ChargeProperties
  class << self
    def problems(model, properties)
      case model
      when "standard" then amount(properties["amount"])
      when "package" then package(properties)
      when "percentage" then decimal?(properties["rate"]) ? [] : ["invalid_rate"]
      when "graduated" then ranges(properties["graduated_ranges"], "graduated_ranges")
      when "volume" then ranges(properties["volume_ranges"], "volume_ranges")
      else []
      end
    end

    private

    def package(properties)
      free, size = properties.values_at("free_units", "package_size")
      amount(properties["amount"]) +
        ((free.is_a?(Integer) && free >= 0) ? [] : ["invalid_free_units"]) +
        ((size.is_a?(Integer) && size.positive?) ? [] : ["invalid_package_size"])
    end

    def amount(value) = decimal?(value) ? [] : ["invalid_amount"]

    def decimal?(value) = value.is_a?(String) && value.match?(/\A\d+(\.\d+)?\z/)

    # The first begins at 0, each next one right behind the one before, and the last has no end.
    def ranges(list, name)
      return ["missing_#{name}"] if !list.is_a?(Array) || list.empty?

      amounts = list.all? { |range| decimal?(range["per_unit_amount"]) && decimal?(range["flat_amount"]) }
      problems = amounts ? [] : ["invalid_amount"]
      problems << "invalid_#{name}" unless unbroken?(list)
      problems
    end

    def unbroken?(list)
      list.each_with_index.all? do |range, index|
        from = index.zero? ? 0 : list[index - 1]["to_value"].to_i + 1
        last = index == list.size - 1
        range["from_value"] == from && (last ? range["to_value"].nil? : range["to_value"].to_i >= from)
      end
    end
  end
end
