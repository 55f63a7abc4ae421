# frozen_string_literal: true

# Reading subscriptions; changing them is Subscribing's.
module Subscriptions
  STATUSES = %w[pending active terminated canceled].freeze
  PENDING, ACTIVE, TERMINATED, CANCELED = 0, 1, 2, 3
  BILLING_TIMES = %w[calendar anniversary].freeze

  class << self
    def of(organization) = db[:subscriptions].where(customer_id: db[:customers].where(organization_id: organization[:id]).select(:id))

    # The one that goes on under an id, or is still to begin; nil where there is none.
    def running(organization, external_id)
      begun = {status: ACTIVE}
      to_begin = {status: PENDING, previous_subscription_id: nil}
      of(organization).where(external_id: external_id).where(Sequel.|(begun, to_begin)).reverse(:status).first
    end

    def plan(row) = db[:plans].first(id: row[:plan_id])

    def customer(row) = db[:customers].first(id: row[:customer_id])

    # The one that takes over, by an upgrade already or by a downgrade at the end of the period.
    def following(row) = db[:subscriptions].where(previous_subscription_id: row[:id]).exclude(status: CANCELED).reverse(:created_at).first

    def serialize(row)
      owner, following = customer(row), following(row)
      {
        lago_id: row[:id], external_id: row[:external_id], lago_customer_id: row[:customer_id],
        external_customer_id: owner[:external_id], name: row[:name], plan_code: plan(row)[:code],
        status: STATUSES.fetch(row[:status]), billing_time: BILLING_TIMES.fetch(row[:billing_time]),
        **%i[subscription_at started_at trial_ended_at ending_at terminated_at canceled_at created_at]
          .to_h { |name| [name, Text.time(row[name])] },
        previous_plan_code: previous(row) && plan(previous(row))[:code], next_plan_code: following && plan(following)[:code],
        downgrade_plan_date: downgrade_date(row, following), **period_texts(row)
      }
    end

    def with_plan(row) = serialize(row).merge(plan: Plans.serialize(plan(row)))

    # The period that is running, or ran when it ended.
    def period(row) = Periods.at(row, plan(row), (row[:terminated_at] || Time.now.utc).to_date)

    private

    def db = Standin::Database

    def previous(row) = row[:previous_subscription_id] && db[:subscriptions].first(id: row[:previous_subscription_id])

    def downgrade_date(row, following)
      (period(row).last + 1).iso8601 if row[:status] == ACTIVE && following && following[:status] == PENDING
    end

    def period_texts(row)
      from, to = row[:started_at] && Periods.usage(row, period(row))
      {current_billing_period_started_at: Text.time(from), current_billing_period_ending_at: Text.time(to)}
    end
  end
end
