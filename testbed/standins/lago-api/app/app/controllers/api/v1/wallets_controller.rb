# frozen_string_literal: true

require_relative "../base_controller"

module Api
  module V1
    class WalletsController < BaseController
      def index
        customer = found(Customers.of(current_organization).first(external_id: params["external_customer_id"].to_s), "customer")
        rows = database[:wallets].where(customer_id: customer[:id]).order(Sequel.desc(:created_at))
        render_page(:wallets, rows) { |row| with_rules(row) }
      end

      def show = render_wallet(wallet)

      def create = render_wallet(Wallets.create(current_organization, required(:wallet)))

      def destroy = render_wallet(Wallets.terminate(wallet))

      private

      def wallet = found(Text.uuid?(params["id"]) && Wallets.of(current_organization).first(id: params["id"]), "wallet")

      def with_rules(row) = Wallets.serialize(row).merge(recurring_transaction_rules: [])

      def render_wallet(row) = render(json: {wallet: with_rules(row)})
    end
  end
end
