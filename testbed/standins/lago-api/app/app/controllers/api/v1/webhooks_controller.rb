# frozen_string_literal: true

require_relative "../base_controller"

module Api
  module V1
    # The public half of the key that signs webhooks: MIME base64 of its PEM text.
    class WebhooksController < BaseController
      def public_key = render(plain: encoded)

      def json_public_key = render(json: {webhook: {public_key: encoded}})

      private

      def encoded = Base64.encode64(RsaPublicKey.to_s)
    end
  end
end
