# frozen_string_literal: true

# What the clock enqueues. Those that have nothing to do in what is modelled only run.
module Clock
  class Base < Standin::Job
    queue_as "clock"
    unique

    def perform = nil

    private

    def database = Standin::Database

    def subscriptions(condition) = database[:subscriptions].where(condition).order(:created_at).all
  end

  # Schedules whose job isn't named after them.
  NAMES = {"bill_customers" => "SubscriptionsBiller", "bill_ended_trial_subscriptions" => "FreeTrialSubscriptionsBiller"}.freeze

  %w[
    RefreshDraftInvoices RefreshLifetimeUsages ApiKeysTrackUsage RetryGeneratingSubscriptionInvoices FinalizeInvoices
    FreeTrialSubscriptionsBiller TerminationAlert TopUpWalletIntervalCredits PostValidateEvents ComputeDailyUsage
    ProcessDunningCampaigns
  ].each { |name| const_set("#{name}Job", Class.new(Base)) }

  # By the date, not the time: whatever is dated today or earlier starts, also before its hour.
  class ActivateSubscriptionsJob < Base
    def perform
      tomorrow = Time.utc(*Date.today.next_day.then { |day| [day.year, day.month, day.day] })
      subscriptions(Sequel.&({status: Subscriptions::PENDING, previous_subscription_id: nil}, Sequel[:subscription_at] < tomorrow))
        .each { |row| Subscribing.activate(row) }
    end
  end

  # Subscriptions whose period begins today: the past one is billed, and a downgrade that waits takes over.
  class SubscriptionsBillerJob < Base
    def perform
      today = Time.now.utc.to_date
      subscriptions(status: Subscriptions::ACTIVE).each do |row|
        next unless Subscriptions.period(row).first == today && row[:started_at].to_date < today

        following = Subscriptions.following(row)
        (following && following[:status] == Subscriptions::PENDING) ? Subscribing.take_over(row, following) : bill(row)
      end
    end

    private

    def bill(row) = BillSubscriptionJob.perform_later([row[:id]], Time.now.to_i, "subscription_periodic")
  end

  class TerminateEndedSubscriptionsJob < Base
    def perform
      subscriptions(Sequel.&({status: Subscriptions::ACTIVE}, Sequel[:ending_at] <= Time.now.utc)).each { |row| Subscribing.terminate(row) }
    end
  end

  class RefreshWalletsOngoingBalanceJob < Base
    def perform = database[:wallets].where(status: Wallets::ACTIVE).all.each { |row| Wallets.refresh(row) }
  end

  class TerminateWalletsJob < Base
    def perform
      database[:wallets].where(status: Wallets::ACTIVE).where { expiration_at <= Time.now.utc }.all.each { |row| Wallets.terminate(row) }
    end
  end

  class TerminateCouponsJob < Base
    def perform
      database[:coupons].where(terminated_at: nil).where { expiration_at <= Time.now.utc }.update(terminated_at: Time.now.utc)
    end
  end

  class MarkInvoicesAsPaymentOverdueJob < Base
    def perform
      database[:invoices].where(status: Invoices::FINALIZED, payment_overdue: false).exclude(payment_status: 1)
        .where { payment_due_date < Date.today }.update(payment_overdue: true)
    end
  end

  class CleanWebhooksJob < Base
    DAYS = 90

    def perform = database[:webhooks].where { updated_at < Time.now.utc - DAYS * 86_400 }.delete
  end
end
