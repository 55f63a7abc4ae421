# frozen_string_literal: true

require "json"

module Standin
  module Sidekiq
    # Moves jobs whose time has come from `retry` and `schedule` into their queues.
    class Scheduled
      SECONDS = 5
      SETS = %w[retry schedule].freeze

      def run
        loop do
          sleep SECONDS
          break if @stopped

          move
        rescue RedisClient::Error => error
          Log.write("ERROR", "Error fetching scheduled jobs: #{error.message}")
        end
      end

      def stop = @stopped = true

      private

      def move
        QueueRedis.with { |redis| SETS.each { |set| move_from(redis, set) } }
      end

      def move_from(redis, set)
        redis.zrangebyscore(set, "-inf", Time.now.to_f).each do |text|
          next unless redis.zrem(set, text)

          payload = JSON.parse(text).merge("enqueued_at" => Time.now.to_f)
          redis.sadd?("queues", payload["queue"])
          redis.lpush("queue:#{payload["queue"]}", JSON.generate(payload))
        end
      end
    end
  end
end
