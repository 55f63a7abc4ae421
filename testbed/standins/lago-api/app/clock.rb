# frozen_string_literal: true

require "clockwork"
# A setting that stops the environment stops the clock here.
require_relative "config/environment"
require "standin/active_job"

# The schedule of v1.16.0. What was never run and has no minute of its own is due at once.
module Clockwork
  configure do |config|
    config[:logger] = Rails.logger
    config[:tz] = "UTC"
  end

  # Logs the error once more, after the library's own line about it. A clock that can't reach Redis goes on
  # and tries again at the next tick.
  error_handler do |error|
    Rails.logger.error(error.message)
    Rails.logger.error(error.backtrace.join("\n"))
  end

  every(5.minutes, "schedule:activate_subscriptions") do
    # Pending ones whose day has come.
    Clock::ActivateSubscriptionsJob.perform_later
  end

  # Every draft is made anew.
  every(5.minutes, "schedule:refresh_draft_invoices") do
    # Drafts exist with a grace period only.
    Clock::RefreshDraftInvoicesJob.perform_later
  end

  # How often, a variable says.
  lifetime_usage = ENV.fetch("LAGO_LIFETIME_USAGE_REFRESH_INTERVAL_SECONDS", 300).to_i.seconds
  every(lifetime_usage, "schedule:refresh_lifetime_usages") do
    # Lifetime usage is a premium feature.
    Clock::RefreshLifetimeUsagesJob.perform_later
  end

  # Balances need a cache that worker and API share, so without one this event isn't there.
  cache = ENV["LAGO_REDIS_CACHE_URL"].to_s + ENV["LAGO_MEMCACHE_SERVERS"].to_s
  unless cache.empty? || ENV["LAGO_DISABLE_WALLET_REFRESH"] == "true"
    every(5.minutes, "schedule:refresh_wallets_ongoing_balance") do
      # Usage of now counts against them.
      Clock::RefreshWalletsOngoingBalanceJob.perform_later
    end
  end

  hourly = [
    ["terminate_ended_subscriptions", "*:05"],
    ["bill_customers", "*:10"],
    ["api_keys_track_usage", "*:15"],
    ["retry_generating_subscription_invoices", "*:30"],
    ["finalize_invoices", "*:20"],
    ["mark_invoices_as_payment_overdue", "*:25"],
    ["terminate_coupons", "*:30"],
    ["bill_ended_trial_subscriptions", "*:35"],
    ["terminate_wallets", "*:45"],
    ["termination_alert", "*:50"],
    ["top_up_wallet_interval_credits", "*:55"]
  ]
  job = ->(name) { Clock.const_get("#{Clock::NAMES.fetch(name) { name.split("_").map(&:capitalize).join }}Job") }
  hourly.each { |name, minute| every(1.hour, "schedule:#{name}", at: minute) { job.call(name).perform_later } }

  every(1.day, "schedule:clean_webhooks", at: "01:00") { job.call("clean_webhooks").perform_later }

  unless ENV["LAGO_DISABLE_EVENTS_VALIDATION"] == "true"
    every(1.hour, "schedule:post_validate_events", at: "*:05") { job.call("post_validate_events").perform_later }
  end

  every(1.hour, "schedule:compute_daily_usage", at: "*:15") { job.call("compute_daily_usage").perform_later }
  every(1.hour, "schedule:process_dunning_campaigns", at: "*:45") { job.call("process_dunning_campaigns").perform_later }
end
