# frozen_string_literal: true

require "json"
require "securerandom"
require "socket"

module Standin
  module Sidekiq
    # Tells Redis every 10 s that this process lives: an entry in `processes` and a hash that expires after 60 s.
    class Heartbeat
      SECONDS = 10
      EXPIRY = 60

      # Whether the process takes no more jobs; told to Redis and `ps` with the next beat.
      attr_writer :quiet

      def initialize(settings, statistics)
        @statistics = statistics
        @concurrency = settings["concurrency"]
        @quiet = false
        @identity = "#{Socket.gethostname}:#{::Process.pid}:#{SecureRandom.hex(6)}"
        @info = JSON.generate(
          hostname: Socket.gethostname, started_at: Time.now.to_f, pid: ::Process.pid, tag: "app",
          concurrency: @concurrency, capsules: {}, weights: [settings["queues"].to_h { |queue| [queue, 0] }],
          queues: settings["queues"], labels: [], identity: @identity, version: VERSION, embedded: false
        )
      end

      def run
        loop do
          sleep SECONDS
          beat
        end
      end

      def beat
        $0 = ["sidekiq", VERSION, "app", "[#{@statistics.work.size} of #{@concurrency} busy]", ("stopping" if @quiet)].compact.join(" ")
        processed, failed = @statistics.take
        QueueRedis.with { |redis| write(redis, processed, failed) }
      rescue RedisClient::Error => error
        @statistics.give_back(processed, failed)
        Log.write("ERROR", "heartbeat: #{error.message}")
      end

      # A process that ends in order is registered no more; its hash expires.
      def clear
        beat
        QueueRedis.with do |redis|
          redis.srem?("processes", @identity)
          redis.del("#{@identity}:work")
        end
      rescue RedisClient::Error => error
        Log.warned(error)
      end

      private

      def resident_kilobytes = File.foreach("/proc/self/status").find { |line| line.start_with?("VmRSS:") }.to_s.split[1].to_i

      def write(redis, processed, failed)
        work = @statistics.work.transform_values { |value| JSON.generate(value) }
        redis.multi do |transaction|
          [["processed", processed], ["failed", failed]].each do |name, count|
            transaction.incrby("stat:#{name}", count)
            transaction.incrby("stat:#{name}:#{Time.now.utc.strftime("%Y-%m-%d")}", count)
          end
          transaction.sadd("processes", [@identity])
          transaction.hset(@identity, "info", @info, "busy", work.size, "beat", Time.now.to_f,
            "rtt_us", 0, "quiet", @quiet.to_s, "rss", resident_kilobytes)
          transaction.expire(@identity, EXPIRY)
          transaction.del("#{@identity}:work")
          transaction.mapped_hmset("#{@identity}:work", work) unless work.empty?
          transaction.expire("#{@identity}:work", EXPIRY)
        end
      end
    end
  end
end
