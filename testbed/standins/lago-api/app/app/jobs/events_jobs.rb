# frozen_string_literal: true

module Events
  # Makes new usage visible: expires what is kept of the charges that count this event.
  class PostProcessJob < Standin::Job
    queue_as { ENV["SIDEKIQ_EVENTS"] ? "events" : "default" }

    def perform(id)
      event = Standin::Database[:events].first(id: id)
      organization = {id: event[:organization_id]}
      subscription = Subscriptions.of(organization).first(external_id: event[:external_subscription_id], status: Subscriptions::ACTIVE)
      metric = Metrics.of(organization).first(code: event[:code])
      return unless subscription && metric

      Standin::Database[:charges].where(plan_id: subscription[:plan_id], billable_metric_id: metric[:id], deleted_at: nil)
        .each { |charge| UsageCache.expire(charge, subscription) }
    end
  end
end

module BillableMetrics
  class DeleteEventsJob < Standin::Job
    queue_as "default"

    def perform(id)
      metric = Standin::Database[:billable_metrics].first(id: id)
      Events.of({id: metric[:organization_id]}).where(code: metric[:code]).update(deleted_at: Time.now.utc)
    end
  end
end
