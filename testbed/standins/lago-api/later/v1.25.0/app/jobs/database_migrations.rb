# frozen_string_literal: true

require "standin/ownership"

# What an upgrade leaves to the worker: columns of rows that were there before.
module DatabaseMigrations
  # Fills a batch, and enqueues the next one until nothing is left.
  class Filling < Standin::Job
    BATCH_SIZE = 1000
    queue_as "low_priority"
    unique

    def perform(batch_number = 1)
      batch = waiting.limit(BATCH_SIZE).select(:id)
      return Rails.logger.info("Finished the execution") if batch.empty?

      rows.where(id: batch).update(values)
      self.class.perform_later(batch_number + 1)
    end

    private

    def waiting = rows.where(organization_id: nil)
  end

  class FillingFees < Filling
    private

    def rows = Standin::Database[:fees]

    def values = %i[organization_id billing_entity_id].to_h { |column| [column, Standin::Ownership.of(:fees)] }
  end

  class PopulateFeesWithOrganizationFromInvoiceJob < FillingFees
    private

    def waiting = super.exclude(invoice_id: nil)
  end

  class PopulateFeesWithOrganizationFromSubscriptionJob < FillingFees
    private

    def waiting = super.exclude(subscription_id: nil)
  end

  # Those that have an organization by now.
  class PopulateFeesWithBillingEntityIdJob < FillingFees
    private

    def waiting = rows.where(billing_entity_id: nil)

    def values = {billing_entity_id: :organization_id}
  end
end
