# frozen_string_literal: true

require_relative "../base_controller"

module Api
  module V1
    class PlansController < BaseController
      def index = render_page(:plans, rows.order(Sequel.desc(:created_at))) { |row| Plans.serialize(row) }

      def show = render_plan(plan)

      def create = render_plan(Plans.create(current_organization, required(:plan)))

      def update = render_plan(Plans.update(current_organization, plan, required(:plan)))

      def destroy
        row = plan
        # As it was before the worker takes it apart, which may be at once.
        render_plan(row)
        Plans.destroy(row)
      end

      private

      def rows = Plans.of(current_organization)

      def plan = found(rows.first(code: params["code"]), "plan")

      def render_plan(row) = render(json: {plan: Plans.serialize(row)})
    end
  end
end
