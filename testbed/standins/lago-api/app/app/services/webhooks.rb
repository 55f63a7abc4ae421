# frozen_string_literal: true

require "jwt"

# Endpoints, and what is sent to them.
module Webhooks
  ALGORITHMS = %w[jwt hmac].freeze
  MAXIMUM = 5

  # The table that a type's object is in, its name in the body, and how it is written.
  TYPES = {
    "customer.created" => [:customers, "customer", ->(row) { Customers.serialize(row).merge(integration_customers: []) }],
    "subscription.started" => [:subscriptions, "subscription", ->(row) { Webhooks.subscription(row) }],
    "subscription.terminated" => [:subscriptions, "subscription", ->(row) { Webhooks.subscription(row) }],
    "invoice.created" => [:invoices, "invoice", ->(row) { Invoices.delivered(row) }],
    "invoice.generated" => [:invoices, "invoice", ->(row) { Invoices.with_customer(row) }],
    "credit_note.created" => [:credit_notes, "credit_note", ->(row) { CreditNotes.serialize(row) }],
    "wallet.depleted_ongoing_balance" => [:wallets, "wallet", ->(row) { Wallets.serialize(row) }],
    "wallet_transaction.created" => [:wallet_transactions, "wallet_transaction", ->(row) { Webhooks.wallet_transaction(row) }]
  }.freeze

  # The words for the numbers in a transaction's columns.
  OF_TRANSACTIONS = {
    status: %w[pending settled], transaction_status: %w[purchased granted voided invoiced],
    transaction_type: %w[inbound outbound]
  }.freeze

  class << self
    def create_endpoint(organization, values)
      check(values)
      count = db[:webhook_endpoints].where(organization_id: organization[:id]).count
      raise Standin::Refusal.invalid(base: ["exceeded_limit"]) if count >= MAXIMUM

      db.insert(:webhook_endpoints, organization_id: organization[:id], webhook_url: values["webhook_url"],
        signature_algo: ALGORITHMS.index(values["signature_algo"] || "jwt"))
    end

    def update_endpoint(row, values)
      merged = {"webhook_url" => row[:webhook_url], "signature_algo" => ALGORITHMS[row[:signature_algo]]}.merge(values)
      check(merged)
      db.update(:webhook_endpoints, row, webhook_url: merged["webhook_url"], signature_algo: ALGORITHMS.index(merged["signature_algo"]))
    end

    def send_later(type, id)
      SendWebhookJob.perform_later(type, Standin::Job::Record.new(TYPES.fetch(type)[1].split("_").map(&:capitalize).join, id))
    end

    # The body, as the object is when it is sent.
    def payload(type, id)
      table, name, serializer = TYPES.fetch(type)
      row = db[table].first(id: id)
      [row, {webhook_type: type, object_type: name, name => serializer.call(row)}]
    end

    def organization_id(row)
      row[:organization_id] || (row[:customer_id] && db[:customers].where(id: row[:customer_id]).get(:organization_id)) ||
        organization_id(db[:wallets].first(id: row[:wallet_id]))
    end

    # The headers by which a receiver knows who sent it.
    def headers(webhook, endpoint, body)
      algorithm = ALGORITHMS.fetch(endpoint[:signature_algo])
      {"Content-Type" => "application/json", "X-Lago-Signature" => signature(algorithm, endpoint, body),
       "X-Lago-Signature-Algorithm" => algorithm, "X-Lago-Unique-Key" => webhook[:id]}
    end

    def subscription(row)
      Subscriptions.serialize(row).merge(
        customer: Customers.serialize(Subscriptions.customer(row)), plan: Plans.serialize(Subscriptions.plan(row))
      )
    end

    def wallet_transaction(row)
      {
        lago_id: row[:id], lago_wallet_id: row[:wallet_id], status: word(row, :status), source: "manual",
        transaction_status: word(row, :transaction_status), transaction_type: word(row, :transaction_type),
        amount: Text.decimal(row[:amount]), credit_amount: Text.decimal(row[:credit_amount]),
        settled_at: Text.time(row[:settled_at]), created_at: Text.time(row[:created_at]),
        invoice_requires_successful_payment: false, metadata: []
      }
    end

    private

    def db = Standin::Database

    def word(row, column) = OF_TRANSACTIONS.fetch(column).fetch(row[column])

    def signature(algorithm, endpoint, body)
      return JWT.encode({data: body, iss: ENV["LAGO_API_URL"]}, RsaPrivateKey, "RS256") if algorithm == "jwt"

      key = Organization.find(endpoint[:organization_id])[:hmac_key]
      Base64.strict_encode64(OpenSSL::HMAC.digest("sha-256", key, body))
    end

    def check(values)
      problems = {}
      problems[:webhook_url] = ["url_is_invalid"] unless values["webhook_url"].to_s.match?(%r{\Ahttps?://[^/\s]+\S*\z})
      algorithm = values["signature_algo"]
      problems[:signature_algo] = ["value_is_invalid"] unless algorithm.nil? || ALGORITHMS.include?(algorithm)
      raise Standin::Refusal.invalid(**problems) unless problems.empty?
    end
  end
end
