# frozen_string_literal: true

require_relative "../base_controller"

module Api
  module V1
    class AppliedCouponsController < BaseController
      def index
        rows = Coupons.applied(current_organization).order(Sequel.desc(:created_at))
        render_page(:applied_coupons, rows) { |row| Coupons.serialize_applied(row) }
      end

      def create
        row = Coupons.apply(current_organization, required(:applied_coupon))
        render json: {applied_coupon: Coupons.serialize_applied(row)}
      end
    end
  end
end
