# frozen_string_literal: true

require "json"
require "time"

module Standin
  module Sidekiq
    VERSION = "7.3.1"

    # One JSON object a line, as Sidekiq's JSON formatter writes it.
    module Log
      LOCK = Mutex.new

      class << self
        def info(message, context = nil) = write("INFO", message, context)
        def debug(message) = write("DEBUG", message)

        def write(level, message, context = nil)
          entry = {ts: Time.now.utc.iso8601(3), pid: ::Process.pid, tid: thread_id, lvl: level, msg: message}
          entry[:ctx] = context if context
          LOCK.synchronize { $stdout.puts(JSON.generate(entry)) }
        end

        # An error that a thread survives: its message, class and backtrace.
        def warned(error)
          write("WARN", "#{error.class}: #{error.message}")
          write("WARN", error.backtrace.to_a.join("\n"))
        end

        # Said by the first job that a process enqueues, and by a worker at its start.
        def connecting_once = @connecting || connecting("internal")

        def connecting(pool)
          @connecting = true
          options = {size: 10, pool_name: pool, url: QueueRedis.shown_url, pool_timeout: 5, timeout: 5}
          info("Sidekiq #{VERSION} connecting to Redis with options #{options.inspect}")
        end

        def thread_id = (Thread.current.object_id ^ ::Process.pid).to_s(36)
      end
    end
  end
end
