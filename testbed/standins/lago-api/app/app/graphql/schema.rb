# frozen_string_literal: true

require "graphql"
Dir["#{__dir__}/types/*.rb"].sort.each { |file| require file }

class LagoSchema < GraphQL::Schema
  query Types::Query
  mutation Types::Mutation

  # The answer as a Hash. A text that ends too early is worded as by the parser of the real one.
  def self.answer(text, **options)
    answer = execute(text.to_s, **options).to_h
    error = answer["errors"]&.first
    if error && error["message"].match?(/\AUnexpected end of document/)
      column = text.index(/\w/).to_i + 1
      error["message"] = "Expected NAME, actual: (none) (\"\") at [1, #{column}]"
      error["locations"] = [{"line" => 1, "column" => column}]
    end
    answer
  end

  # What of Lago's own schema a query asks for and this one lacks, in words; nil where it would be wrong for Lago, too.
  # Of the fields of a type it is not known which Lago has, so one that is missing here is taken for Lago's.
  def self.beyond(answer)
    (answer["errors"] || []).each do |error|
      code, type, field, argument = (error["extensions"] || {}).values_at("code", "typeName", "fieldName", "argumentName")
      next unless MISSING.include?(code)
      return "the field #{field} of #{type}" if field && (type != "Query" || QUERIES.include?(field))
      return "the argument #{argument}" if argument
    end
    nil
  end

  MISSING = %w[undefinedField argumentNotAccepted].freeze
  QUERIES = %w[
    addOn addOns billableMetric billableMetrics coupon coupons creditNote creditNotes customer customers customerInvoices
    customerUsage dunningCampaign dunningCampaigns events grossRevenues integration integrations invite invites invoice
    invoices invoiceCollections invoicedUsages memberships mrrs overdueBalances paymentProvider paymentProviders
    paymentRequests plan subscription subscriptions tax taxes wallet wallets walletTransactions webhook webhookEndpoint
    webhookEndpoints webhooks
  ].freeze
end
