# frozen_string_literal: true

require "rack"
require "standin/active_record"
require "standin/active_job"
require "standin/refusal"
require "standin/web/controller"
require "standin/web/router"
require "standin/web/show_exceptions"

module Standin
  module Web
    # The middlewares that shape every answer, outermost first, around the routes of config/routes.rb.
    def self.stack
      Dir["/app/app/{models,services,serializers,controllers}/**/*.rb"].sort.each { |file| require file }
      require "/app/config/routes"
      Rack::Builder.app do
        use Rack::Runtime
        use RequestId
        use ShowExceptions
        use Rack::Head
        use Rack::ConditionalGet
        use Rack::ETag, "no-cache"
        run Router.new(ROUTES)
      end
    end

    class RequestId
      def initialize(app) = @app = app

      def call(env)
        given = env["HTTP_X_REQUEST_ID"].to_s.gsub(/[^\w\-@]/, "")[0, 255]
        env["standin.request_id"] = given.empty? ? SecureRandom.uuid : given
        @app.call(env).tap { |_, headers, _| headers["X-Request-Id"] = env["standin.request_id"] }
      end
    end
  end
end
