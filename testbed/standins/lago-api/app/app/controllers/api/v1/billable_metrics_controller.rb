# frozen_string_literal: true

require_relative "../base_controller"

module Api
  module V1
    class BillableMetricsController < BaseController
      def index = render_page(:billable_metrics, rows.order(Sequel.desc(:created_at))) { |row| Metrics.serialize(row) }

      def show = render(json: {billable_metric: Metrics.shown(metric)})

      def create = render_metric(Metrics.create(current_organization, required(:billable_metric)))

      def update = render_metric(Metrics.update(metric, required(:billable_metric)))

      def destroy
        row = metric
        render_metric(row)
        Metrics.destroy(row)
      end

      private

      def rows = Metrics.of(current_organization)

      def metric = found(rows.first(code: params["code"]), "billable_metric")

      def render_metric(row) = render(json: {billable_metric: Metrics.serialize(row)})
    end
  end
end
