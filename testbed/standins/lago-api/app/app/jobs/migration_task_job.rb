# frozen_string_literal: true

class TaskNotFoundError < StandardError; end

# Old migrations enqueue tasks that no longer exist: a fresh installation has four of these in its dead set.
class MigrationTaskJob < Standin::Job
  queue_as "default"

  def perform(task) = raise(TaskNotFoundError, "Don't know how to build task '#{task}'")
end
