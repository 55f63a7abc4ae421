# frozen_string_literal: true

require_relative "../base_controller"

module Api
  module V1
    class EventsController < BaseController
      def index
        dataset = Events.of(current_organization)
        %w[code external_subscription_id].each { |name| dataset = dataset.where(name.to_sym => params[name]) if params[name] }
        dataset = dataset.where { timestamp >= Text.parse_time(params["timestamp_from"]) } if params["timestamp_from"]
        render_page(:events, dataset.order(Sequel.desc(:timestamp))) { |row| Events.serialize(row) }
      end

      def show
        row = found(Events.of(current_organization).first(transaction_id: params["id"]), "event")
        render json: {event: Events.serialize(row)}
      end

      def create = render(json: {event: Events.serialize(Events.create(current_organization, required(:event)))})

      def batch
        rows = Events.create_batch(current_organization, params["events"])
        render json: {events: rows.map { |row| Events.serialize(row) }}
      end
    end
  end
end
