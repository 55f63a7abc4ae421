# frozen_string_literal: true

require "bigdecimal"
require "bigdecimal/util"
require "time"

# How values look in the API's JSON.
module Text
  # Seconds in UTC, or nil.
  def self.time(value) = value&.getutc&.iso8601

  # A decimal as a string, with at least one digit behind the point.
  def self.decimal(value) = value && BigDecimal(value.to_s).to_s("F")

  # A time out of what a client sent; nil when it is none.
  def self.parse_time(value)
    return if value.nil? || value.to_s.empty?

    text = value.to_s
    text.match?(/T|:/) ? Time.iso8601(text.match?(/Z|[+-]\d\d:?\d\d\z/) ? text : "#{text}Z").utc : Time.utc(*Date.iso8601(text).then { |day| [day.year, day.month, day.day] })
  rescue ArgumentError
    nil
  end

  def self.uuid?(value) = value.to_s.match?(/\A\h{8}-\h{4}-\h{4}-\h{4}-\h{12}\z/)
end
