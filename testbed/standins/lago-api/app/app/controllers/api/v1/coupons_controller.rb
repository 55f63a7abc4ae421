# frozen_string_literal: true

require_relative "../base_controller"

module Api
  module V1
    class CouponsController < BaseController
      def index = render_page(:coupons, rows.order(Sequel.desc(:created_at))) { |row| Coupons.serialize(row) }

      def show = render_coupon(coupon)

      def create = render_coupon(Coupons.create(current_organization, required(:coupon)))

      def destroy
        row = coupon
        Coupons.destroy(row)
        render_coupon(row)
      end

      private

      def rows = Coupons.of(current_organization)

      def coupon = found(rows.first(code: params["code"]), "coupon")

      def render_coupon(row) = render(json: {coupon: Coupons.serialize(row)})
    end
  end
end
