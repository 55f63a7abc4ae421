# frozen_string_literal: true

require "standin/active_record"
require "standin/active_job"

module Standin
  # Enqueues the job of each table that has rows to fill, and waits until a worker has filled them, however long that takes.
  class FillingTask
    SECONDS = 5

    # `jobs` by table.
    def initialize(jobs) = @jobs = jobs

    def run
      Rails.logger.level = Logger::Severity::ERROR
      puts "\n#### Checking for resource to fill ####"
      to_fill = @jobs.select { |table, _| left(table, "records to fill 🧮", "Nothing to do ✅") }
      puts "\n#### Enqueue jobs in the low_priority queue ####" if to_fill.any?
      to_fill.each_value do |job|
        pp "- Enqueuing #{job.name}"
        job.perform_later
      end
      await(to_fill)
      puts "\n#### All good, ready to Upgrade! ✅ ####"
    end

    private

    def await(to_fill)
      until to_fill.empty?
        sleep SECONDS
        puts "\n#### Checking status ####"
        to_fill = to_fill.select { |table, _| left(table, "remaining 🧮", "Done ✅") }
      end
    end

    # Whether rows are left; says so.
    def left(table, some, none)
      pp "- Checking #{table.to_s.chomp("s").split("_").map(&:capitalize).join}: 🔎"
      count = Database[table].where(organization_id: nil).count
      pp count.positive? ? "  -> #{count} #{some}" : "  -> #{none}"
      count.positive?
    end
  end
end
