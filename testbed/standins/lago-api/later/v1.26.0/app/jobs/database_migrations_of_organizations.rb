# frozen_string_literal: true

require_relative "database_migrations"

module DatabaseMigrations
  # Fills organization_id in one table.
  class FillingOrganization < Filling
    class << self
      attr_accessor :table
    end

    private

    def rows = Standin::Database[self.class.table]

    def values = {organization_id: Standin::Ownership.of(self.class.table)}
  end

  # The tables whose job each release brought.
  ORGANIZATION_JOBS = {
    "v1.26.0" => %i[charges subscriptions wallets wallet_transactions],
    "v1.29.0" => %i[applied_coupons credit_notes credits invoice_subscriptions webhooks]
  }.select { |tag, _| Standin::Release.since?(tag) }.values.flatten.to_h do |table|
    name = table.to_s.split("_").map(&:capitalize).join
    job = const_set("Populate#{name}WithOrganizationJob", Class.new(FillingOrganization))
    job.table = table
    [table, job]
  end
end
