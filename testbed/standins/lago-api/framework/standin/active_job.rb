# frozen_string_literal: true

require "json"
require "securerandom"
require "time"
require "standin/redis_client"
require "standin/sidekiq/log"
require "standin/unique_jobs"

module Standin
  # Jobs as ActiveJob puts them into Sidekiq's lists. A job class names its queue and has `perform`.
  class Job
    WRAPPER = "ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper"

    class << self
      def queue_as(name = nil, &block) = @queue = block || name
      def queue_name = (@queue.respond_to?(:call) ? @queue.call : @queue || superclass.queue_name).to_s

      # At most one of the same arguments waits or runs at a time.
      def unique = @unique = true
      def unique? = @unique || (superclass <= Job && superclass.unique?)

      def perform_later(*arguments) = enqueue(arguments)

      def perform_now(*arguments) = new.perform(*arguments)

      # Runs no sooner than in `seconds`.
      def perform_in(seconds, *arguments) = enqueue(arguments, at: Time.now + seconds)

      def enqueue(arguments, at: nil)
        id = SecureRandom.uuid
        return if unique? && !UniqueJobs.lock(self, arguments, id)

        push(payload(arguments, id), at)
        Rails.logger.info("[ActiveJob] Enqueued #{name} (Job ID: #{id}) to Sidekiq(#{queue_name})#{" at #{at.utc}" if at}")
      rescue RedisClient::CannotConnectError, Redlock::LockAcquisitionError => error
        Rails.logger.error("[ActiveJob] Failed enqueuing #{name} to Sidekiq(#{queue_name}): #{error.class} (#{error.message})")
        raise
      end

      private

      def payload(arguments, id)
        now = Time.now
        {
          "retry" => true, "queue" => queue_name, "wrapped" => name, "class" => WRAPPER,
          "args" => [{
            "job_class" => name, "job_id" => id, "provider_job_id" => nil, "queue_name" => queue_name, "priority" => nil,
            "arguments" => Arguments.serialize(arguments), "executions" => 0, "exception_executions" => {},
            "locale" => "en", "timezone" => "UTC", "enqueued_at" => now.utc.iso8601(9), "scheduled_at" => nil
          }],
          "jid" => SecureRandom.hex(12), "created_at" => now.to_f
        }
      end

      def push(payload, at)
        Sidekiq::Log.connecting_once
        QueueRedis.with do |redis|
          if at
            redis.zadd("schedule", at.to_f, JSON.generate(payload))
          else
            redis.sadd?("queues", payload["queue"])
            redis.lpush("queue:#{payload["queue"]}", JSON.generate(payload.merge("enqueued_at" => Time.now.to_f)))
          end
        end
      end
    end

    # A record travels as its global id.
    Record = Struct.new(:model, :id) do
      def to_gid = "gid://lago-api/#{model}/#{id}"
    end

    module Arguments
      def self.serialize(values) = values.map { |value| value.is_a?(Record) ? {"_aj_globalid" => value.to_gid} : value }

      # Records come back as their ids.
      def self.deserialize(values)
        values.map { |value| value.is_a?(Hash) && value["_aj_globalid"] ? value["_aj_globalid"].split("/").last : value }
      end
    end
  end
end

Dir["/app/app/jobs/**/*.rb"].sort.each { |file| require file }
