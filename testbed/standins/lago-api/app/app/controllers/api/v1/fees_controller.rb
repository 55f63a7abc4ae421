# frozen_string_literal: true

require_relative "../base_controller"

module Api
  module V1
    class FeesController < BaseController
      def index
        dataset = Fees.of(current_organization)
        dataset = dataset.where(subscription_id: subscriptions(customer_id: customers)) if params["external_customer_id"]
        if params["external_subscription_id"]
          dataset = dataset.where(subscription_id: subscriptions(external_id: params["external_subscription_id"]))
        end
        render_page(:fees, dataset.order(Sequel.asc(:created_at))) { |row| Fees.serialize(row).merge(applied_taxes: []) }
      end

      def show
        row = found(Text.uuid?(params["id"]) && Fees.of(current_organization).first(id: params["id"]), "fee")
        render json: {fee: Fees.serialize(row).merge(applied_taxes: [])}
      end

      private

      def customers
        database[:customers].where(organization_id: current_organization[:id], external_id: params["external_customer_id"]).select(:id)
      end

      def subscriptions(condition) = database[:subscriptions].where(condition).select(:id)
    end
  end
end
