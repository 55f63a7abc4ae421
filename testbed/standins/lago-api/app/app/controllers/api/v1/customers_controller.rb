# frozen_string_literal: true

require_relative "../base_controller"

module Api
  module V1
    class CustomersController < BaseController
      def index
        render_page(:customers, rows.order(Sequel.desc(:created_at))) { |row| Customers.serialize(row).merge(taxes: [], **Customers.integrations) }
      end

      def show = render_customer(customer)

      def create = render_customer(Customers.upsert(current_organization, required(:customer)))

      def destroy
        row = customer
        Customers.destroy(row)
        render_customer(row)
      end

      private

      def rows = Customers.of(current_organization)

      def customer = found(rows.first(external_id: params["external_id"]), "customer")

      def render_customer(row)
        render json: {customer: Customers.serialize(row).merge(taxes: [], integration_customers: [], **Customers.sections(row))}
      end
    end
  end
end
