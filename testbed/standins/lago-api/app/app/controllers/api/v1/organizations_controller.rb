# frozen_string_literal: true

require "jwt"
require_relative "../base_controller"

module Api
  module V1
    class OrganizationsController < BaseController
      PLAIN = %i[
        country address_line1 address_line2 state zipcode email city legal_name legal_number timezone net_payment_term
      ].freeze

      def show
        render json: {organization: serialized(current_organization)}
      end

      private

      def serialized(row)
        {
          lago_id: row[:id], name: row[:name], default_currency: row[:default_currency], created_at: row[:created_at].iso8601,
          webhook_url: webhook_urls.first || "", webhook_urls: webhook_urls, **row.slice(*PLAIN), email_settings: [],
          document_numbering: row[:document_numbering], document_number_prefix: row[:document_number_prefix],
          tax_identification_number: row[:tax_identification_number],
          finalize_zero_amount_invoice: row[:finalize_zero_amount_invoice],
          billing_configuration: row.slice(:invoice_footer, :invoice_grace_period, :document_locale)
        }
      end

      def webhook_urls = database[:webhook_endpoints].where(organization_id: current_organization[:id]).order(:created_at).select_map(:webhook_url)

      public

      # Signed with the private key, so it shows that this container holds one; logs name the next statement.
      def grpc_token
        payload = {organization_id: current_organization[:id], aud: "lago-grpc"}
        render json: {organization: {grpc_token: JWT.encode(payload, RsaPrivateKey, "RS256")}}
      end

      # What decides how the rest of Lago works and is not modelled is outside. Only this answer tells of taxes.
      def update
        values = required(:organization)
        beyond = Organizations.beyond(values)
        return outside("Lago #{Standin::Release.tag} takes #{beyond.join(", ")} here, but") if beyond.any?

        render json: {organization: serialized(Organizations.update(current_organization, values)).merge(taxes: [])}
      end
    end
  end
end
