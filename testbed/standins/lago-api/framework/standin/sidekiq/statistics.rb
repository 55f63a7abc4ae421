# frozen_string_literal: true

module Standin
  module Sidekiq
    # What the threads have done since the last heartbeat, and what they are at.
    class Statistics
      def initialize
        @lock = Mutex.new
        @processed = @failed = 0
        @work = {}
      end

      def started(payload, queue)
        @lock.synchronize { @work[Log.thread_id] = {queue: queue, payload: payload, run_at: Time.now.to_i} }
      end

      def finished(failed:)
        @lock.synchronize do
          @work.delete(Log.thread_id)
          @processed += 1
          @failed += 1 if failed
        end
      end

      # What each busy thread is at: queue, payload and when it began.
      def work = @lock.synchronize { @work.dup }

      # Processed and failed since the last call.
      def take
        @lock.synchronize { [@processed, @failed].tap { @processed = @failed = 0 } }
      end

      def give_back(processed, failed) = @lock.synchronize { (@processed += processed) && (@failed += failed) }
    end
  end
end
