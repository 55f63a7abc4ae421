# frozen_string_literal: true

require "standin/release"

module Standin
  # Whose a row is. Later releases write it into a column of the row itself, and fill that column in the rows of earlier
  # ones. The billing entity that an upgrade makes has its organization's id.
  module Ownership
    CUSTOMERS = "SELECT organization_id FROM customers WHERE id = "

    # The column of a table that leads to the organization, and the query from there; nil where it is the id itself.
    PATHS = {
      customers: [:organization_id, nil], invoices: [:organization_id, nil],
      fees: [:subscription_id, "#{CUSTOMERS}(SELECT customer_id FROM subscriptions WHERE id = ?)"],
      charges: [:plan_id, "SELECT organization_id FROM plans WHERE id = ?"],
      wallet_transactions: [:wallet_id, "#{CUSTOMERS}(SELECT customer_id FROM wallets WHERE id = ?)"],
      webhooks: [:webhook_endpoint_id, "SELECT organization_id FROM webhook_endpoints WHERE id = ?"],
      **%i[subscriptions wallets applied_coupons].to_h { |table| [table, [:customer_id, "#{CUSTOMERS}?"]] },
      **%i[invoice_subscriptions credits credit_notes]
        .to_h { |table| [table, [:invoice_id, "SELECT organization_id FROM invoices WHERE id = ?"]] }
    }.freeze

    # The columns that a release's own code writes, from that release on.
    WRITTEN = {
      "v1.25.0" => {customers: %i[billing_entity_id], invoices: %i[billing_entity_id], fees: %i[organization_id billing_entity_id]},
      "v1.26.0" => %i[charges subscriptions wallets wallet_transactions].to_h { |table| [table, %i[organization_id]] },
      "v1.29.0" => %i[applied_coupons webhooks invoice_subscriptions credits credit_notes].to_h { |table| [table, %i[organization_id]] }
    }.freeze

    class << self
      # The values of a new row with those that this release adds. Without the column it fails as a model does that was
      # loaded before its migration ran.
      def added(table, values)
        columns = WRITTEN.select { |tag, _| Release.since?(tag) }.flat_map { |_, tables| tables.fetch(table, []) }
        columns.each { |column| check(table, column) }
        values.merge(columns.to_h { |column| [column, of(table, values[PATHS.fetch(table).first])] })
      end

      # The organization as an expression: of a row that is there, or of one with this value in the column that leads to it.
      def of(table, value = nil)
        column, query = PATHS.fetch(table)
        value ||= Sequel[table][column]
        query ? Sequel.lit("(#{query})", value) : value
      end

      private

      def check(table, column)
        @columns ||= {}
        return if (@columns[table] ||= Database[table].columns).include?(column)

        model = table.to_s.chomp("s").split("_").map(&:capitalize).join
        raise ActiveModel::UnknownAttributeError, "unknown attribute '#{column}' for #{model}."
      end
    end
  end
end
