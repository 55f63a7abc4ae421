# frozen_string_literal: true

module Customers
  PLAIN = %i[
    country address_line1 address_line2 state zipcode email city url phone logo_url legal_name legal_number currency
    tax_identification_number timezone
  ].freeze
  WRITABLE = (%i[name firstname lastname customer_type net_payment_term external_salesforce_id finalize_zero_amount_invoice] + PLAIN).freeze
  SHIPPING = %i[address_line1 address_line2 city zipcode state country].freeze

  class << self
    def of(organization) = db[:customers].where(organization_id: organization[:id], deleted_at: nil)

    def upsert(organization, values)
      check(values)
      row = of(organization).first(external_id: values["external_id"].to_s)
      attributes = values.slice(*WRITABLE.map(&:to_s)).transform_keys(&:to_sym).merge(nested(values))
      return change(row, attributes) if row

      create(organization, values["external_id"].to_s, attributes)
    end

    def create(organization, external_id, attributes = {})
      row = db.transaction do
        db.pool[:organizations].where(id: organization[:id]).for_update.first
        number = db[:customers].where(organization_id: organization[:id]).max(:sequential_id).to_i + 1
        slug = format("%s-%03d", organization[:document_number_prefix], number)
        db.insert(:customers, attributes.merge(organization_id: organization[:id], external_id: external_id, sequential_id: number, slug: slug))
      end
      Webhooks.send_later("customer.created", row[:id])
      SegmentTrackJob.perform_later("customer_created")
      row
    end

    # Sets the currency that a first subscription or wallet brings; refuses a second one.
    def settle_currency(row, currency)
      return row if row[:currency] == currency
      raise Standin::Refusal.invalid(currency: ["currencies_does_not_match"]) if row[:currency]

      db.update(:customers, row, currency: currency)
    end

    # Gone at once for the API; the worker ends what belongs to it. Invoices stay.
    def destroy(row)
      db.update(:customers, row, deleted_at: Time.now.utc)
      TerminateRelationsJob.perform_later(Standin::Job::Record.new("Customer", row[:id]))
    end

    # What the answer about one customer has from v1.25.0 on.
    def sections(_row)
      return {} unless Standin::Release.since?("v1.25.0")

      if Standin::Release.since?("v1.26.0") && !db[:invoice_custom_sections].columns.include?(:section_type)
        raise "Undeclared attribute type for enum 'section_type' in InvoiceCustomSection. Enums must be backed by a " \
          "database column or declared with an explicit type via `attribute`."
      end
      {applicable_invoice_custom_sections: []}
    end

    # What lists and invoices say of a customer beside it, from v1.25.0 on.
    def integrations = Standin::Release.since?("v1.25.0") ? {integration_customers: []} : {}

    def serialize(row)
      {
        lago_id: row[:id], **row.slice(:external_id, :name, :firstname, :lastname, :customer_type, :sequential_id, :slug),
        created_at: Text.time(row[:created_at]), updated_at: Text.time(row[:updated_at]), **row.slice(*PLAIN),
        applicable_timezone: row[:timezone] || "UTC", net_payment_term: row[:net_payment_term],
        external_salesforce_id: row[:external_salesforce_id], finalize_zero_amount_invoice: row[:finalize_zero_amount_invoice],
        billing_configuration: {invoice_grace_period: nil, payment_provider: nil, payment_provider_code: nil,
                                document_locale: row[:document_locale]},
        shipping_address: SHIPPING.to_h { |name| [name, row[:shipping_address][name.to_s]] }, metadata: row[:metadata].to_a,
        **(Standin::Release.since?("v1.25.0") ? added(row) : {})
      }
    end

    private

    def db = Standin::Database

    def added(row)
      {billing_entity_code: Organizations.billing_entity_code(row), **row.slice(:account_type, :skip_invoice_custom_sections)}
    end

    # What stands deeper in what was sent. Payment providers and a grace period of one's own are not modelled.
    def nested(values)
      found = {}
      found[:document_locale] = values["billing_configuration"]["document_locale"] if values.dig("billing_configuration", "document_locale")
      found[:shipping_address] = Sequel.pg_jsonb_wrap(values["shipping_address"].slice(*SHIPPING.map(&:to_s))) if values["shipping_address"]
      found[:metadata] = Sequel.pg_jsonb_wrap(values["metadata"].map { |each| entry(each) }) if values["metadata"]
      found
    end

    def entry(values)
      {lago_id: values["id"] || SecureRandom.uuid, key: values["key"], value: values["value"],
       display_in_invoice: values["display_in_invoice"] == true, created_at: Text.time(Time.now)}
    end

    def change(row, attributes)
      if attributes[:currency] && row[:currency] && attributes[:currency] != row[:currency] && used?(row)
        raise Standin::Refusal.invalid(currency: ["currencies_does_not_match"])
      end
      row = db.update(:customers, row, attributes)
      SegmentTrackJob.perform_later("customer_updated")
      row
    end

    def used?(row) = %i[subscriptions invoices wallets].any? { |table| db[table].where(customer_id: row[:id]).any? }

    def check(values)
      problems = {}
      problems[:external_id] = ["value_is_mandatory"] if values["external_id"].to_s.empty?
      problems[:currency] = ["value_is_invalid"] if values["currency"] && !Currency.known?(values["currency"])
      raise Standin::Refusal.invalid(**problems) unless problems.empty?
    end
  end
end
