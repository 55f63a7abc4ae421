# frozen_string_literal: true

require "json"
require "standin/redis_client"

module Redlock
  class LockAcquisitionError < StandardError; end
end

module Standin
  # Locks in Redis that keep a job from being queued twice.
  module UniqueJobs
    TTL = 3600 # seconds, for jobs that never end

    class << self
      # Whether the lock is ours now; raises Redlock's error without Redis.
      def lock(job, arguments, id)
        taken = QueueRedis.with { |redis| redis.set(key(job, arguments), id, nx: true, ex: TTL) }
        Rails.logger.info("[ActiveJob] Not unique #{job.name} (Job ID: #{id}) (Lock key: #{key(job, arguments)})") unless taken
        taken
      rescue RedisClient::CannotConnectError => error
        raise Redlock::LockAcquisitionError, "failed to acquire lock on 'Too many Redis errors prevented lock acquisition:\n" \
          "#{error.class}: #{error.message}'"
      end

      def release(job, arguments) = QueueRedis.with { |redis| redis.del(key(job, arguments)) }

      private

      def key(job, arguments)
        name = job.name.gsub(/([a-z])([A-Z])/, '\1_\2').downcase
        "activejob_uniqueness:#{name}:#{arguments.empty? ? "no_arguments" : JSON.generate(Job::Arguments.serialize(arguments))}"
      end
    end
  end
end
