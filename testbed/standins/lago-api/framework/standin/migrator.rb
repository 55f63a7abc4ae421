# frozen_string_literal: true

require "standin/active_job"

module Standin
  # Applies the migrations of db/migrate one at a time, each in a transaction of its own, under an advisory
  # lock. A migration is one file of SQL; `-- enqueue NAME` in it puts that task on the worker's queue.
  #
  # The real application has COUNT of them. Those that matter here have a file; the others between the first
  # and the last change nothing and exist as versions only.
  class Migrator
    COUNT = 408
    FOLDER = "/app/db/migrate"
    Migration = Struct.new(:version, :name, :sql)

    def self.all
      @all ||= begin
        written = Dir["#{FOLDER}/*.sql"].sort.map do |file|
          version, name = File.basename(file, ".sql").split("_", 2)
          Migration.new(version, name.split("_").map(&:capitalize).join, File.read(file))
        end
        (written + fillers(written.map(&:version))).sort_by(&:version)
      end
    end

    # Versions spread evenly over the days between the first and the last written one.
    def self.fillers(taken)
      from, to = [taken.first, taken.last].map { |version| Time.utc(*version.unpack("a4a2a2a2a2a2")).to_i }
      missing = COUNT - taken.size
      (1..missing).map do |number|
        at = Time.at(from + (to - from) * number / (missing + 1)).utc
        Migration.new(at.strftime("%Y%m%d%H%M%S"), format("UnmodelledChange%03d", number), nil)
      end
    end
    private_class_method :fillers

    def initialize(database) = @database = database

    def pending
      return self.class.all unless @database.table_exists?(:schema_migrations)

      applied = @database[:schema_migrations].select_map(:version)
      self.class.all.reject { |migration| applied.include?(migration.version) }
    end

    def run
      @database.synchronize do
        with_lock do
          @database.run("CREATE TABLE IF NOT EXISTS schema_migrations (version character varying NOT NULL PRIMARY KEY)")
          pending.each { |migration| apply(migration) }
        end
      end
    end

    private

    # The lock is the session's, as ActiveRecord's is, and named after the database.
    def with_lock
      key = @database.get(Sequel.lit("2053462845 * hashtext(current_database())::bigint % 2147483647"))
      raise ActiveRecord::ConcurrentMigrationError unless @database.get(Sequel.function(:pg_try_advisory_lock, key))

      begin
        yield
      ensure
        @database.get(Sequel.function(:pg_advisory_unlock, key))
      end
    end

    def apply(migration)
      Rails.logger.info("Migrating to #{migration.name} (#{migration.version})")
      announce(migration, "migrating")
      started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      @database.transaction do
        change(migration.sql) if migration.sql
        @database.run("INSERT INTO schema_migrations (version) VALUES ('#{migration.version}')")
      end
      announce(migration, format("migrated (%.4fs)", Process.clock_gettime(Process::CLOCK_MONOTONIC) - started))
      puts
    rescue StandardError => error
      error = ActiveRecord.translated(error)
      raise StandardError, "An error has occurred, this and all later migrations canceled:\n\n#{error.message}",
        error.backtrace, cause: error
    end

    def change(sql)
      @database.run(sql)
      sql.scan(/^-- enqueue (\S+)$/) { |(task)| MigrationTaskJob.perform_later(task) }
    end

    def announce(migration, text)
      line = "#{migration.version} #{migration.name}: #{text}"
      puts "== #{line} #{"=" * [0, 75 - line.length].max}"
    end
  end
end
