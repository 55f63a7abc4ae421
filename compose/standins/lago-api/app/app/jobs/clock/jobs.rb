# frozen_string_literal: true

# What the clock enqueues. Those that do something have a file of their own; the others only run.
module Clock
  class Base < Standin::Job
    queue_as "clock"
    unique

    def perform = nil
  end

  # Schedules whose job isn't named after them.
  NAMES = {"bill_customers" => "SubscriptionsBiller", "bill_ended_trial_subscriptions" => "FreeTrialSubscriptionsBiller"}.freeze

  %w[
    ActivateSubscriptions RefreshDraftInvoices RefreshLifetimeUsages RefreshWalletsOngoingBalance
    TerminateEndedSubscriptions SubscriptionsBiller ApiKeysTrackUsage RetryGeneratingSubscriptionInvoices
    FinalizeInvoices MarkInvoicesAsPaymentOverdue TerminateCoupons FreeTrialSubscriptionsBiller TerminateWallets
    TerminationAlert TopUpWalletIntervalCredits CleanWebhooks PostValidateEvents ComputeDailyUsage
    ProcessDunningCampaigns
  ].each { |name| const_set("#{name}Job", Class.new(Base)) }
end
