# frozen_string_literal: true

# Changing the organization that a key belongs to. Its name stays: Lago takes none here.
module Organizations
  WRITABLE = %w[
    default_currency country address_line1 address_line2 state zipcode email city legal_name legal_number
    net_payment_term tax_identification_number finalize_zero_amount_invoice document_number_prefix
  ].freeze
  BILLING = %w[invoice_footer document_locale].freeze

  class << self
    # The names of what is given and would change periods, numbers, mails or endpoints.
    def beyond(values)
      grace = values.dig("billing_configuration", "invoice_grace_period") ? ["billing_configuration.invoice_grace_period"] : []
      values.keys.intersection(%w[timezone document_numbering email_settings webhook_url]) + grace
    end

    def update(row, values)
      check(values)
      changes = values.slice(*WRITABLE).merge((values["billing_configuration"] || {}).slice(*BILLING))
      Standin::Database.update(:organizations, row, changes.transform_keys(&:to_sym))
    end

    # Of the billing entity that a customer or an invoice belongs to.
    def billing_entity_code(row) = Standin::Database[:billing_entities].where(id: row[:billing_entity_id]).get(:code)

    private

    def check(values)
      currency, country, email = values.values_at("default_currency", "country", "email")
      problems = {}
      problems[:default_currency] = ["value_is_invalid"] if values.key?("default_currency") && !Currency.known?(currency)
      problems[:country] = ["value_is_invalid"] unless country.nil? || country.match?(/\A[A-Z]{2}\z/)
      problems[:email] = ["invalid_email_format"] unless email.nil? || email.match?(/\A[^@\s]+@[^@\s]+\z/)
      raise Standin::Refusal.invalid(**problems) unless problems.empty?
    end
  end
end
