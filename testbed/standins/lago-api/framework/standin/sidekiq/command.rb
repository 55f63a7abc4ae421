# frozen_string_literal: true

require "optparse"
require "socket"
require "yaml"
require "standin/sidekiq/log"
require "standin/sidekiq/process"

module Standin
  module Sidekiq
    # `bundle exec sidekiq`: loads the application, checks Redis, then works until it is told to stop.
    module Command
      class << self
        def run(arguments)
          $stdout.sync = true
          settings = {"concurrency" => 10, "timeout" => 25, "queues" => ["default"]}
          named = []
          OptionParser.new do |options|
            options.on("-C", "--config FILE") { |file| settings.merge!(YAML.load_file(file)) }
            options.on("-q", "--queue NAME") { |name| named << name.split(",").first }
          end.parse!(arguments)
          # Queues that are named take the place of the file's.
          settings["queues"] = named unless named.empty?
          settings["concurrency"] = ENV["SIDEKIQ_CONCURRENCY"].to_i if ENV["SIDEKIQ_CONCURRENCY"]
          boot(settings)
        rescue StandardError, ScriptError => error
          warn error.message
          warn error.backtrace.join("\n")
          exit 1
        end

        private

        def boot(settings)
          # APP_ENV wins over RAILS_ENV here, and only here.
          ENV["RAILS_ENV"] = ENV["APP_ENV"] unless ENV["APP_ENV"].to_s.empty?
          require "/app/config/environment"
          require "standin/active_record"
          require "standin/active_job"
          require "standin/refusal"
          Dir["/app/app/{models,services,serializers}/**/*.rb"].sort.each { |file| require file }
          introduce
          check_redis
          Process.new(settings).run
        end

        def introduce
          Log.info("Booted Rails #{Rails::VERSION} application in #{Rails.env} environment")
          Log.info("Running in #{RUBY_DESCRIPTION}")
          Log.info("See LICENSE and the LGPL-3.0 for licensing details.")
          Log.info("Upgrade to Sidekiq Pro for more features and support: https://sidekiq.org")
          Log.connecting("internal")
        end

        def check_redis
          info = QueueRedis.with { |redis| redis.info }
          version = info["redis_version"]
          if Gem::Version.new(version) < Gem::Version.new("6.2.0")
            raise "You are connecting to Redis #{version}, Sidekiq requires Redis 6.2.0 or greater"
          end

          policy = info["maxmemory_policy"]
          Log.write("WARN", EVICTION % policy) unless policy == "noeviction"
          Log.connecting("default")
        end

        EVICTION = <<~TEXT


          WARNING: Your Redis instance will evict Sidekiq data under heavy load.
          The 'noeviction' maxmemory policy is recommended (current policy: '%s').
          See: https://github.com/sidekiq/sidekiq/wiki/Using-Redis#memory

        TEXT
        private_constant :EVICTION
      end
    end
  end
end
