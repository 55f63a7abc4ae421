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
        received, sent = IO.pipe
        %w[INT TERM TSTP].each { |signal| trap(signal) { sent.puts(signal) } }
        announce
        @heartbeat.beat
        fetchers = Array.new(@settings["concurrency"]) { Fetcher.new(@settings["queues"], @statistics) }
        threads = fetchers.map { |fetcher| Thread.new { fetcher.run } }
        scheduled = Scheduled.new
        [@heartbeat, scheduled].each { |part| Thread.new { part.run } }
        while received.gets.chomp == "TSTP"
          Log.info("Received TSTP, no longer accepting new work")
          quiet([*fetchers, scheduled])
        end
        Log.info("Shutting down")
        quiet([*fetchers, scheduled])
        shut_down(threads)
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

      # What runs goes on to its end; nothing more is begun.
      def quiet(parts)
        parts.each(&:stop)
        @heartbeat.quiet = true
      end

      def shut_down(threads)
        deadline = Time.now + @settings["timeout"]
        threads.each { |thread| thread.join([deadline - Time.now, 0].max) }
        put_back(@statistics.work.values)
        threads.each(&:kill)
        @heartbeat.clear
        Log.info("Bye!")
        exit 0
      end

      # Jobs that did not end in time begin again elsewhere, before all others of their queue.
      def put_back(work)
        return if work.empty?

        QueueRedis.with { |redis| work.each { |job| redis.rpush("queue:#{job[:queue]}", job[:payload]) } }
        Log.info("Pushed #{work.size} jobs back to Redis")
      rescue RedisClient::Error => error
        Log.write("WARN", "Failed to requeue #{work.size} jobs: #{error.message}")
      end
    end
  end
end
