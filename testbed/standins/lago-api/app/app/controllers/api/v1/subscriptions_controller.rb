# frozen_string_literal: true

require_relative "../base_controller"

module Api
  module V1
    class SubscriptionsController < BaseController
      # Active ones, unless asked for others.
      def index
        dataset = rows.where(status: statuses)
        dataset = dataset.where(customer_id: customers) if params["external_customer_id"]
        dataset = dataset.where(plan_id: plans) if params["plan_code"]
        render_page(:subscriptions, dataset.order(Sequel.desc(:created_at))) { |row| Subscriptions.serialize(row) }
      end

      def show = render_subscription(subscription)

      def create = render_subscription(Subscribing.create(current_organization, required(:subscription)))

      def update = render_subscription(Subscribing.update(to_update, required(:subscription)))

      def destroy
        row = subscription
        row = (row[:status] == Subscriptions::PENDING) ? Subscribing.cancel(row) : Subscribing.terminate(row)
        render_subscription(row)
      end

      private

      def rows = Subscriptions.of(current_organization)

      def statuses = [*(params["status"] || "active")].filter_map { |name| Subscriptions::STATUSES.index(name) }

      def customers = Customers.of(current_organization).where(external_id: params["external_customer_id"]).select(:id)

      def plans = database[:plans].where(organization_id: current_organization[:id], code: params["plan_code"]).select(:id)

      def subscription
        dataset = rows.where(external_id: params["external_id"], status: statuses)
        found(dataset.order(Sequel.desc(:created_at)).first, "subscription")
      end

      # The only one of its id, whatever its status; of several the active one, unless the pending one is asked for.
      def to_update
        dataset = rows.where(external_id: params["external_id"]).order(Sequel.desc(:subscription_at))
        status = (params["status"] == "pending") ? Subscriptions::PENDING : Subscriptions::ACTIVE
        dataset = dataset.where(status: status) if dataset.count > 1
        found(dataset.first, "subscription")
      end

      def render_subscription(row) = render(json: {subscription: Subscriptions.with_plan(row)})
    end
  end
end
