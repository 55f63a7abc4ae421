# frozen_string_literal: true

require "date"

# Billing periods of a subscription, in UTC: by the calendar, or counted from the day it was to start.
module Periods
  MONTHS = {"monthly" => 1, "quarterly" => 3, "yearly" => 12}.freeze
  Period = Struct.new(:first, :last) do
    def days = (last - first).to_i + 1
    def start = Time.utc(first.year, first.month, first.day)
    def finish = Time.utc(last.year, last.month, last.day, 23, 59, 59)
  end

  class << self
    # The period that a day lies in.
    def at(subscription, plan, day)
      interval = Plans::INTERVALS.fetch(plan[:interval])
      anniversary = subscription[:billing_time] == 1
      anchor = anniversary ? subscription[:subscription_at].to_date : Date.new(2001, 1, 1) # a Monday
      first = (interval == "weekly") ? day - ((day - anchor) % 7) : months(anchor, day, MONTHS.fetch(interval), 0)
      following = (interval == "weekly") ? first + 7 : months(anchor, day, MONTHS.fetch(interval), 1)
      Period.new(first, following - 1)
    end

    # From when and until when usage counts: never before the start nor after the end of the subscription.
    def usage(subscription, period)
      from = [period.start, subscription[:started_at]].compact.max
      to = [period.finish, subscription[:terminated_at]].compact.min
      [from, to]
    end

    private

    # The anchor moved by whole steps to the last one that isn't after the day, plus `more` steps.
    def months(anchor, day, step, more)
      count = (day.year * 12 + day.month - anchor.year * 12 - anchor.month) / step
      count -= 1 if (anchor >> (count * step)) > day
      anchor >> ((count + more) * step)
    end
  end
end
