# frozen_string_literal: true

# Starting, changing and ending subscriptions.
module Subscribing
  Refusal = Standin::Refusal

  class << self
    def create(organization, values)
      plan = Plans.of(organization).first(code: values["plan_code"].to_s)
      raise Refusal.not_found("plan") unless plan

      check(values)
      customer = Customers.of(organization).first(external_id: values["external_customer_id"].to_s) ||
        Customers.create(organization, values["external_customer_id"].to_s)
      current = Subscriptions.running(organization, values["external_id"])
      raise Refusal.invalid(external_id: ["value_already_exist"]) if current && current[:customer_id] != customer[:id]

      customer = Customers.settle_currency(customer, plan[:amount_currency])
      return start(customer, plan, values) unless current
      return current if current[:plan_id] == plan[:id]
      # One that has not begun simply begins with the other plan.
      return db.update(:subscriptions, current, plan_id: plan[:id]) if current[:status] == Subscriptions::PENDING

      change(current, plan)
    end

    # Only one that has not begun can begin at another time; at a past one it begins at once.
    def update(row, values)
      check_overrides(values)
      problems = date_problems(values)
      raise Refusal.invalid(**problems) if problems.any?

      changes = {}
      changes[:name] = values["name"].to_s if values.key?("name")
      changes[:ending_at] = Text.parse_time(values["ending_at"]) if values.key?("ending_at")
      moved = row[:status] == Subscriptions::PENDING && Text.parse_time(values["subscription_at"])
      changes[:subscription_at] = moved if moved
      row = db.update(:subscriptions, row, changes)
      (moved && moved <= Time.now.utc) ? activate(row) : row
    end

    # Its day has come.
    def activate(row)
      row = db.update(:subscriptions, row, status: Subscriptions::ACTIVE, started_at: row[:subscription_at])
      started(row, "subscription_starting")
    end

    def terminate(row, upgrade: false)
      following = Subscriptions.following(row)
      row = db.transaction do
        if following && following[:status] == Subscriptions::PENDING
          db.update(:subscriptions, following, status: Subscriptions::CANCELED, canceled_at: Time.now.utc)
        end
        db.update(:subscriptions, row, status: Subscriptions::TERMINATED, terminated_at: Time.now.utc)
      end
      CreditNotes.for_termination(row, upgrade: upgrade)
      # An upgrade bills and tells once the new subscription is there too.
      return row if upgrade

      BillSubscriptionJob.perform_in(2, [row[:id]], Time.now.to_i, "subscription_terminating")
      Webhooks.send_later("subscription.terminated", row[:id])
      row
    end

    # A downgrade at the end of the period: the old one ends, the cheaper one goes on under the same id.
    def take_over(row, following)
      now = Time.now.utc
      ended = db.update(:subscriptions, row, status: Subscriptions::TERMINATED, terminated_at: now)
      Webhooks.send_later("subscription.terminated", ended[:id])
      next_one = db.update(:subscriptions, following, status: Subscriptions::ACTIVE, started_at: now)
      started(next_one, "subscription_periodic", ended[:id])
    end

    def cancel(row) = db.update(:subscriptions, row, status: Subscriptions::CANCELED, canceled_at: Time.now.utc)

    private

    def db = Standin::Database

    def check(values)
      check_overrides(values)
      problems = date_problems(values)
      %w[external_customer_id external_id].each { |name| problems[name.to_sym] = ["value_is_mandatory"] if values[name].to_s.empty? }
      unless Subscriptions::BILLING_TIMES.include?(values.fetch("billing_time", "calendar"))
        problems[:billing_time] = ["value_is_invalid"]
      end
      raise Refusal.invalid(**problems) unless problems.empty?
    end

    def check_overrides(values)
      raise Refusal.forbidden("feature_unavailable") if values["plan_overrides"] && !Rails.application.premium
    end

    def date_problems(values)
      wrong = %w[subscription_at ending_at].select { |name| values[name] && Text.parse_time(values[name]).nil? }
      wrong.to_h { |name| [name.to_sym, ["invalid_date"]] }
    end

    def start(customer, plan, values)
      now = Time.now.utc
      at = Text.parse_time(values["subscription_at"]) || now
      pending = at > now
      row = db.insert(:subscriptions, customer_id: customer[:id], plan_id: plan[:id], external_id: values["external_id"],
        name: values["name"].to_s, billing_time: Subscriptions::BILLING_TIMES.index(values.fetch("billing_time", "calendar")),
        subscription_at: at, ending_at: Text.parse_time(values["ending_at"]), started_at: (at unless pending),
        status: pending ? Subscriptions::PENDING : Subscriptions::ACTIVE)
      SegmentTrackJob.perform_later("subscription_created")
      pending ? row : started(row, "subscription_starting")
    end

    def started(row, reason, *others)
      today = row[:started_at].to_date == Time.now.utc.to_date
      if others.any? || (today && Subscriptions.plan(row)[:pay_in_advance])
        BillSubscriptionJob.perform_later([*others, row[:id]], Time.now.to_i, reason)
      end
      Webhooks.send_later("subscription.started", row[:id])
      row
    end

    # Dearer by the year, or as dear: at once. Cheaper: at the end of the period, and the old one is the answer.
    def change(current, plan)
      upgrade = Plans.yearly_amount(plan) >= Plans.yearly_amount(Subscriptions.plan(current))
      cancel_pending(current)
      attributes = current.slice(:customer_id, :external_id, :name, :billing_time, :subscription_at)
        .merge(plan_id: plan[:id], previous_subscription_id: current[:id])
      return current.tap { db.insert(:subscriptions, attributes.merge(status: Subscriptions::PENDING)) } unless upgrade

      ended = terminate(current, upgrade: true)
      now = Time.now.utc
      row = db.insert(:subscriptions, attributes.merge(status: Subscriptions::ACTIVE, started_at: now))
      Webhooks.send_later("subscription.terminated", ended[:id])
      started(row, "upgrading", ended[:id])
    end

    def cancel_pending(current)
      db[:subscriptions].where(previous_subscription_id: current[:id], status: Subscriptions::PENDING)
        .update(status: Subscriptions::CANCELED, canceled_at: Time.now.utc)
    end
  end
end
