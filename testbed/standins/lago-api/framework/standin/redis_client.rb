# frozen_string_literal: true

require "redis"

# redis-client's names and messages over Debian's redis gem.
class RedisClient
  class Error < StandardError; end
  class CannotConnectError < Error; end

  # Yields; a connection that fails leaves as CannotConnectError with the system's own words and the URL.
  def self.errors(url)
    yield
  rescue Redis::CannotConnectError, Redis::ConnectionError, Redis::TimeoutError, SocketError, SystemCallError => error
    raise CannotConnectError, "#{error.cause&.message || error.message} (#{url})", error.backtrace
  rescue Redis::CommandError => error
    raise Error, "#{error.message} (#{url})", error.backtrace
  end
end

module Standin
  # Connections to the Redis that holds queues, locks and the worker's statistics.
  module QueueRedis
    class << self
      # What Sidekiq says about its connection: scheme, host, port and database, never a password.
      def shown_url
        uri = URI(url)
        uri.password = "REDACTED" if uri.password
        uri.to_s
      end

      def url = ENV["REDIS_URL"].to_s.empty? ? "redis://localhost:6379" : ENV["REDIS_URL"]

      def connect(reconnect_attempts: 1)
        options = {url: url, timeout: 5, reconnect_attempts: reconnect_attempts}
        options[:password] = ENV["REDIS_PASSWORD"] unless ENV["REDIS_PASSWORD"].to_s.empty?
        options[:ssl_params] = {verify_mode: OpenSSL::SSL::VERIFY_NONE} if url.start_with?("rediss:")
        Redis.new(**options)
      end

      # Runs the block with the process's shared connection; errors are RedisClient's.
      def with
        RedisClient.errors(shown_url) { yield(@shared ||= connect) }
      end
    end
  end
end
