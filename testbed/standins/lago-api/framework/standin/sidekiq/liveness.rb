# frozen_string_literal: true

require "socket"

module Standin
  module Sidekiq
    # Answers on port 8080 of the container's own loopback: `Live!` while Redis answers.
    module Liveness
      PORT = 8080

      class << self
        def start
          Log.info("Starting liveness server on #{PORT}")
          server = TCPServer.new("127.0.0.1", PORT)
          Thread.new { loop { Thread.new(server.accept) { |client| answer(client) } } }
        end

        private

        def answer(client)
          client.gets
          status, body = ready? ? ["200 OK", "Live!\n"] : ["404 OK", "Sidekiq is not ready\n"]
          client.print("HTTP/1.1 #{status}\r\nContent-Type: text/plain\r\nContent-Length: #{body.bytesize}\r\nConnection: close\r\n\r\n#{body}")
          client.close_write
          # What the client still sends is read, or its end of the line would be reset before it read ours.
          client.read_nonblock(4096, exception: false)
        rescue SystemCallError, IOError => error
          Log.warned(error)
        ensure
          client.close
        end

        # Asked through a connection of its own, so that an answer never waits for the other threads.
        def ready?
          redis = QueueRedis.connect(reconnect_attempts: 0)
          RedisClient.errors(QueueRedis.shown_url) { redis.ping } == "PONG"
        rescue RedisClient::Error
          Log.write("ERROR", "Sidekiq is not ready\n")
          false
        ensure
          redis&.close
        end
      end
    end
  end
end
