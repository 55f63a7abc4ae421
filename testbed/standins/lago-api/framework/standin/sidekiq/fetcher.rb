# frozen_string_literal: true

require "json"

module Standin
  module Sidekiq
    # One thread: takes a job from the first queue that has one, runs it, and notes how it went.
    class Fetcher
      WAIT = 2 # seconds

      def initialize(queues, statistics)
        @lists = queues.map { |queue| "queue:#{queue}" }
        @statistics = statistics
        @url = QueueRedis.shown_url
      end

      def run
        until @stopped
          list, text = fetch
          next if text.nil?
          # Taken while this thread was waiting for work and was told to wait no longer.
          next give_back(list, text) if @stopped

          work(JSON.parse(text), list.delete_prefix("queue:"), text)
        end
      end

      def stop = @stopped = true

      private

      def fetch
        @redis ||= QueueRedis.connect
        RedisClient.errors(@url) { @redis.brpop(*@lists, timeout: WAIT) }
      rescue RedisClient::Error => error
        Log.write("ERROR", "Error fetching job: #{error.message.delete_suffix(" (#{@url})")}")
        Log.warned(error)
        sleep 1
        nil
      end

      def give_back(list, text) = QueueRedis.with { |redis| redis.rpush(list, text) }

      def work(payload, queue, text)
        @statistics.started(text, queue)
        context = {class: payload["wrapped"], jid: payload["jid"]}
        started = ::Process.clock_gettime(::Process::CLOCK_MONOTONIC)
        elapsed = -> { (::Process.clock_gettime(::Process::CLOCK_MONOTONIC) - started).round(3) }
        Log.info("start", context)
        perform(payload)
        Log.info("done", context.merge(elapsed: elapsed.call))
        @statistics.finished(failed: false)
      rescue StandardError, ScriptError => error
        @statistics.finished(failed: true)
        error = ActiveRecord.translated(error)
        Log.info("fail", context.merge(elapsed: elapsed.call))
        Log.write("WARN", JSON.generate(context: "Job raised exception", job: payload.merge("args" => "[FILTERED]")))
        Log.warned(error)
        bury(payload, error)
      end

      def perform(payload)
        data = payload["args"].first
        job = Object.const_get(data["job_class"])
        arguments = Job::Arguments.deserialize(data["arguments"])
        job.new.perform(*arguments)
      ensure
        UniqueJobs.release(job, arguments || []) if job&.unique?
      end

      # max_retries is 0 in this application: a failed job goes straight to the dead set.
      def bury(payload, error)
        now = Time.now.to_f
        entry = payload.merge("error_message" => error.message[0, 10_000], "error_class" => error.class.name, "failed_at" => now, "retry_count" => 0)
        QueueRedis.with do |redis|
          redis.zadd("dead", now, JSON.generate(entry))
          redis.zremrangebyrank("dead", 0, -ENV.fetch("LAGO_SIDEKIQ_MAX_DEAD_JOBS", 10_000).to_i - 1)
        end
      rescue RedisClient::Error => lost
        Log.warned(lost)
      end
    end
  end
end
