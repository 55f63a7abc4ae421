# frozen_string_literal: true

module Plans
  # Ends the plan's subscriptions, then the plan.
  class DestroyJob < Standin::Job
    queue_as "default"

    def perform(id)
      database = Standin::Database
      plan = database[:plans].first(id: id)
      database[:subscriptions].where(plan_id: id, status: Subscriptions::ACTIVE).all.each { |row| Subscribing.terminate(row) }
      database[:subscriptions].where(plan_id: id, status: Subscriptions::PENDING).all.each { |row| Subscribing.cancel(row) }
      database.transaction do
        database[:charges].where(plan_id: id).update(deleted_at: Time.now.utc)
        database.update(:plans, plan, deleted_at: Time.now.utc, pending_deletion: false)
      end
    end
  end
end

module Customers
  # What a deleted customer leaves running is ended.
  class TerminateRelationsJob < Standin::Job
    queue_as "default"

    def perform(id)
      database = Standin::Database
      database[:subscriptions].where(customer_id: id, status: Subscriptions::ACTIVE).all.each { |row| Subscribing.terminate(row) }
      database[:subscriptions].where(customer_id: id, status: Subscriptions::PENDING).all.each { |row| Subscribing.cancel(row) }
      Wallets.active(id).all.each { |row| Wallets.terminate(row) }
    end
  end
end
