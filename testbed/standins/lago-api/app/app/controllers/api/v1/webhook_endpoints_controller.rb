# frozen_string_literal: true

require_relative "../base_controller"

module Api
  module V1
    class WebhookEndpointsController < BaseController
      def index = render_page(:webhook_endpoints, rows.order(:created_at)) { |row| serialized(row) }

      def show = render_endpoint(endpoint)

      def create = render_endpoint(Webhooks.create_endpoint(current_organization, required(:webhook_endpoint)))

      def update = render_endpoint(Webhooks.update_endpoint(endpoint, required(:webhook_endpoint)))

      def destroy
        row = endpoint
        database[:webhook_endpoints].where(id: row[:id]).delete
        render_endpoint(row)
      end

      private

      def rows = database[:webhook_endpoints].where(organization_id: current_organization[:id])

      def endpoint = found(Text.uuid?(params["id"]) && rows.first(id: params["id"]), "webhook_endpoint")

      def serialized(row)
        {lago_id: row[:id], lago_organization_id: row[:organization_id], webhook_url: row[:webhook_url],
         signature_algo: Webhooks::ALGORITHMS.fetch(row[:signature_algo])}
      end

      def render_endpoint(row) = render(json: {webhook_endpoint: serialized(row)})
    end
  end
end
