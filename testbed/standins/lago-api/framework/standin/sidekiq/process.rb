# frozen_string_literal: true

require "standin/sidekiq/fetcher"
require "standin/sidekiq/heartbeat"
require "standin/sidekiq/liveness"
require "standin/sidekiq/scheduled"
require "standin/sidekiq/statistics"

module Standin
  module Sidekiq
    # A running worker: threads that fetch, one that beats, one that moves what is due, one that answers probes.
    class Process
      def initialize(settings)
        @settings = settings
        @statistics = Statistics.new
        @heartbeat = Heartbeat.new(settings, @statistics)
      end

      def run
        stopping, stop = IO.pipe
        %w[INT TERM].each { |signal| trap(signal) { stop.puts(signal) } }
        announce
        @heartbeat.beat
        fetchers = Array.new(@settings["concurrency"]) { Fetcher.new(@settings["queues"], @statistics) }
        threads = fetchers.map { |fetcher| Thread.new { fetcher.run } }
        [@heartbeat, Scheduled.new].each { |part| Thread.new { part.run } }
        stopping.wait_readable
        shut_down(fetchers, threads)
      end

      private

      def announce
        Log.debug("Firing startup event")
        Liveness.start
        Log.debug("Client Middleware: Sentry::Sidekiq::SentryContextClientMiddleware, NewRelic::Agent::Instrumentation::Sidekiq::Client")
        Log.debug("Server Middleware: Sidekiq::Metrics::Middleware, Sidekiq::Job::InterruptHandler, " \
          "Sentry::Sidekiq::SentryContextServerMiddleware, NewRelic::Agent::Instrumentation::Sidekiq::Server")
        Log.debug(@settings.slice("concurrency", "timeout", "queues").merge(
          "labels" => "#<Set: {}>", "require" => ".", "environment" => Rails.env, "max_retries" => 0, "average_scheduled_poll_interval" => 5
        ))
        Log.debug("Firing heartbeat event")
      end

      def shut_down(fetchers, threads)
        Log.info("Shutting down")
        fetchers.each(&:stop)
        deadline = Time.now + @settings["timeout"]
        threads.each { |thread| thread.join([deadline - Time.now, 0].max) }
        @heartbeat.clear
        Log.info("Bye!")
        exit 0
      end
    end
  end
end
