# frozen_string_literal: true

require "fileutils"
require "json"
require "redis"

# Where usage is kept between requests: the Redis of LAGO_REDIS_CACHE_URL. Without that variable it is a folder in the
# container, which no other container can expire: so the API goes on showing what it knew.
module UsageCache
  FOLDER = "/app/tmp/cache"

  class << self
    # What is kept, or else what the block gives, which is then kept until the period ends. A cache that is down is
    # logged and done without.
    def fetch(charge, subscription, until_time:)
      key = key(charge, subscription)
      text = read(key)
      return JSON.parse(text) if text

      yield.tap { |value| write(key, JSON.generate(value), [(until_time - Time.now).ceil, 1].max) }
    end

    def expire(charge, subscription)
      key = key(charge, subscription)
      redis ? tolerant { redis.del(key) } : FileUtils.rm_f(path(key))
    end

    private

    def key(charge, subscription) = "charge-usage/1/#{charge[:id]}/#{subscription[:id]}/#{charge[:updated_at].to_i}"

    def read(key)
      return tolerant { redis.get(key) } if redis

      File.read(path(key)) if File.exist?(path(key))
    end

    def write(key, text, seconds)
      return tolerant { redis.set(key, text, ex: seconds) } if redis

      FileUtils.mkdir_p(FOLDER)
      File.write(path(key), text)
    end

    def path(key) = "#{FOLDER}/#{key.tr("/", "%")}"

    def redis
      url = ENV["LAGO_REDIS_CACHE_URL"].to_s
      return if url.empty?

      password = ENV["LAGO_REDIS_CACHE_PASSWORD"].to_s
      @redis ||= Redis.new(url: url, timeout: 1, reconnect_attempts: 1, **(password.empty? ? {} : {password: password}))
    end

    def tolerant
      yield
    rescue Redis::BaseError, SocketError, SystemCallError => error
      Rails.logger.error("RedisCacheStore: failed, returned nil: #{error.class}: #{error.message}")
      nil
    end
  end
end
