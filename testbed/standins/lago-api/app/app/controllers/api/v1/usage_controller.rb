# frozen_string_literal: true

require_relative "../base_controller"

module Api
  module V1
    class UsageController < BaseController
      def show
        customer = found(Customers.of(current_organization).first(external_id: params["external_id"]), "resource")
        subscription = database[:subscriptions].first(
          customer_id: customer[:id], external_id: params["external_subscription_id"].to_s, status: Subscriptions::ACTIVE
        )
        raise Refusal.not_allowed("no_active_subscription") unless subscription

        render json: {customer_usage: usage(subscription)}
      end

      private

      def usage(subscription)
        plan = Subscriptions.plan(subscription)
        from, to, charges = Usage.current(subscription, plan)
        total = charges.sum { |_, counted| counted.amount_cents }
        {
          from_datetime: Text.time(from), to_datetime: Text.time(to), issuing_date: to.to_date.iso8601,
          currency: plan[:amount_currency], amount_cents: total, total_amount_cents: total, taxes_amount_cents: 0,
          lago_invoice_id: nil, charges_usage: charges.map { |charge, counted| charge_usage(charge, counted, plan) }
        }
      end

      def charge_usage(charge, counted, plan)
        metric = Charges.metric(charge)
        {
          units: Text.decimal(counted.units), events_count: counted.events_count, amount_cents: counted.amount_cents,
          amount_currency: plan[:amount_currency],
          charge: {lago_id: charge[:id], charge_model: Charges.model(charge), invoice_display_name: charge[:invoice_display_name]},
          billable_metric: {lago_id: metric[:id], name: metric[:name], code: metric[:code],
                            aggregation_type: Metrics::TYPES.fetch(metric[:aggregation_type])},
          filters: [], **(Standin::Release.since?("v1.25.0") ? {} : {groups: []}), grouped_usage: []
        }
      end
    end
  end
end
