# frozen_string_literal: true

module Standin
  module Web
    # One row of the route table: verb, path, controller and action. In a path `:name` stops at a dot (what
    # follows is taken for a format) and `*name` doesn't.
    class Route
      attr_reader :verb, :controller, :action

      def initialize(verb, path, target)
        @verb = verb
        @controller, @action = target.split("#")
        source = path.gsub(/(?<!\?):(\w+)/, '(?<\1>[^/.?]+)').gsub(/\*(\w+)/, '(?<\1>[^/]+)')
        @pattern = /\A#{source}(?:\.[^\/.?]+)?\/?\z/
      end

      def match(verb, path)
        return unless @verb == verb || (@verb == "GET" && verb == "HEAD")

        @pattern.match(path)&.named_captures
      end
    end

    # Finds the route of a request and runs its action.
    class Router
      VERBS = %w[GET HEAD POST PUT PATCH DELETE].freeze

      def initialize(rows) = @routes = rows.map { |row| Route.new(*row) }

      def call(env)
        path = env["PATH_INFO"]
        raise ActionController::RoutingError, "No route matches [#{env["REQUEST_METHOD"]}] \"#{path}\"" if path == "/" || !VERBS.include?(env["REQUEST_METHOD"])

        @routes.each do |route|
          captures = route.match(env["REQUEST_METHOD"], path)
          return run(route.controller, route.action, env, captures) if captures
        end
        run("application", "not_found", env, {})
      end

      private

      def run(controller, action, env, captures)
        values = captures.transform_values { |value| Rack::Utils.unescape_path(value) }
        name = controller.split("/").map { |part| part.split("_").map(&:capitalize).join }.join("::")
        Object.const_get("#{name}Controller").new(env, values).process(action)
      end
    end
  end
end
