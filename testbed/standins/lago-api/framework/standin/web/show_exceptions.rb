# frozen_string_literal: true

require "json"

# Rails' names for what can go wrong before a controller is found.
module ActionController
  class RoutingError < StandardError; end
end

module ActionDispatch
  module Http
    module Parameters
      class ParseError < StandardError; end
    end
  end
end

module Standin
  module Web
    # The last resort: logs what nobody rescued and answers in the format that the client asked for.
    class ShowExceptions
      STATUS = {
        ActionController::RoutingError => 404, ActionDispatch::Http::Parameters::ParseError => 400, ActiveRecord::RecordInvalid => 422
      }.freeze

      def initialize(app) = @app = app

      def call(env)
        @app.call(env)
      rescue StandardError, ScriptError => error
        error = ActiveRecord.translated(error)
        status = STATUS.fetch(error.class, 500)
        log(error, env["standin.request_id"])
        answer(status, json?(env, status))
      end

      private

      # Past the router everything has the format JSON; before it the Accept header decides.
      def json?(env, status) = status >= 422 || env["HTTP_ACCEPT"].to_s.include?("json")

      def answer(status, json)
        return [status, {"Content-Type" => "text/html; charset=UTF-8", "Content-Length" => "0"}, []] unless json

        body = JSON.generate(status: status, error: Rack::Utils::HTTP_STATUS_CODES.fetch(status))
        [status, {"Content-Type" => "application/json; charset=UTF-8", "Content-Length" => body.bytesize.to_s}, [body]]
      end

      def log(error, request_id)
        own = (error.backtrace || []).filter_map { |line| line.delete_prefix("/app/") if line.start_with?("/app/app/", "/app/lib/") }
        lines = ["  ", "#{error.class} (#{error.message}):", "  ", *own]
        Rails.logger.error("[#{request_id}] #{lines.join("\n[#{request_id}] ")}")
      end
    end
  end
end
