# frozen_string_literal: true

require "json"
require "standin/web/show_exceptions"

module Standin
  module Web
    # What every action has: parameters, the request, `render`, and one line in the log.
    class Controller
      FILTERED = /passw|email|secret|token|_key|crypt|salt|certificate|otp|ssn/

      def self.before_action(name) = (@before ||= []) << name
      def self.before_actions = (superclass.respond_to?(:before_actions) ? superclass.before_actions : []) + (@before || [])

      attr_reader :request, :params, :current_organization

      def initialize(env, path_params)
        @request = Rack::Request.new(env)
        @path_params = path_params
        @headers = {}
      end

      # Runs the action and gives Rack's triple.
      def process(action)
        started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        @params = request.GET.merge(body_params, @path_params)
        Thread.current[:request_id] = request.env["standin.request_id"]
        begin
          self.class.before_actions.each { |name| send(name) unless @rendered }
          public_send(action) unless @rendered
          @rendered || raise("#{self.class}##{action} rendered nothing")
        rescue Refusal => refusal
          render(json: refusal.body, status: refusal.status)
        ensure
          log(action, started)
        end
      end

      private

      # An action may render once; what comes after it in the action still runs.
      def render(json: nil, plain: nil, status: 200, headers: {})
        body = plain || self.class.json(json)
        type = plain ? "text/plain" : "application/json"
        @rendered = [status, {"Content-Type" => "#{type}; charset=utf-8", **@headers, **headers,
                              "Content-Length" => body.bytesize.to_s}, [body]]
      end

      # JSON with the characters escaped that Rails escapes.
      def self.json(value)
        JSON.generate(value).gsub(/[<>&\u2028\u2029]/) { |character| format('\u%04x', character.ord) }
      end

      def body_params
        return {} unless request.media_type == "application/json"

        text = request.body.read
        return {} if text.empty?

        value = JSON.parse(text)
        value.is_a?(Hash) ? value : {"_json" => value}
      rescue JSON::ParserError, EncodingError => error
        raise ActionDispatch::Http::Parameters::ParseError, "Error occurred while parsing request parameters"
      end

      def log(action, started)
        duration = ((Process.clock_gettime(Process::CLOCK_MONOTONIC) - started) * 1000).round(2)
        Rails.logger.info("[#{request.env["standin.request_id"]}] " + JSON.generate(
          method: request.request_method, path: request.path, format: log_format, controller: self.class.name,
          action: action, status: @rendered ? @rendered.first : 500, allocations: 0, duration: duration, view: 0.0, db: 0.0,
          ddsource: "ruby", params: filtered(@params.reject { |key, _| @path_params.key?(key) }),
          organization_id: current_organization && current_organization[:id],
          trace_id: "0" * 32, span_id: "0" * 16
        ))
      end

      def log_format
        accept = request.get_header("HTTP_ACCEPT").to_s
        (accept.empty? || accept.include?("json")) ? "json" : accept.split(",").first
      end

      def filtered(value, key = "")
        case value
        when Hash then value.to_h { |name, inner| [name, filtered(inner, name.to_s)] }
        when Array then value.map { |inner| filtered(inner, key) }
        else key.match?(FILTERED) ? "[FILTERED]" : value
        end
      end
    end
  end
end
