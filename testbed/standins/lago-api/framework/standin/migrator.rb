# frozen_string_literal: true

require "standin/active_job"

module Standin
  # Applies the migrations of db/migrate one at a time, each in a transaction of its own, under an advisory
  # lock. A migration is one file of SQL; `-- enqueue NAME` in it puts that task on the worker's queue, `-- say TEXT`
  # prints what it is about to do, and `-- refuse VERSION MESSAGE` stops it on a database that has that version.
  #
  # db/releases.tsv says up to which version the real application has how many. Those that matter here have a file; the
  # others change nothing and exist as versions only.
  class Migrator
    FOLDER = "/app/db/migrate"
    COUNTS = "/app/db/releases.tsv"
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

    def self.fillers(taken)
      rows = File.readlines(COUNTS, chomp: true).drop(1).map { |line| line.split("\t").first(2) }
      rows.unshift([taken.first, 0]).each_cons(2).flat_map do |(from, before), (to, count)|
        inside = taken.count { |version| version <= to && (version > from || before == 0) }
        spread(from, to, count.to_i - before.to_i - inside - (taken.include?(to) ? 0 : 1)) + (taken.include?(to) ? [] : [to])
      end.each_with_index.map { |version, index| Migration.new(version, format("UnmodelledChange%03d", index + 1), nil) }
    end
    private_class_method :fillers

    # So many versions, evenly over the time between two.
    def self.spread(from, to, number)
      first, last = [from, to].map { |version| Time.utc(*version.unpack("a4a2a2a2a2a2")).to_i }
      (1..number).map { |each| Time.at(first + (last - first) * each / (number + 1)).utc.strftime("%Y%m%d%H%M%S") }
    end
    private_class_method :spread

    def initialize(database) = @database = database

    def pending
      return self.class.all unless @database.table_exists?(:schema_migrations)

      applied = @database[:schema_migrations].select_map(:version)
      self.class.all.reject { |migration| applied.include?(migration.version) }
    end

    # Up to a version where one is given.
    def run(last = nil)
      @database.synchronize do
        with_lock do
          @database.run("CREATE TABLE IF NOT EXISTS schema_migrations (version character varying NOT NULL PRIMARY KEY)")
          pending.each { |migration| apply(migration) unless last && migration.version > last }
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
      error = at(migration, ActiveRecord.translated(error))
      raise StandardError, "An error has occurred, this and all later migrations canceled:\n\n#{error.message}",
        error.backtrace, cause: error
    end

    # The error with the place that the real one names, where the image has files of Ruby.
    def at(migration, error)
      file = Dir["#{FOLDER}/#{migration.version}_*.rb"].first
      [error, error.cause].compact.each { |each| each.set_backtrace(["#{file}:5:in `up'"]) } if file
      error
    end

    def change(sql)
      sql.scan(/^-- refuse (\d+) (.+)$/) { |version, message| raise message if @database[:schema_migrations].first(version: version) }
      sql.scan(/^-- say (.+)$/) { |(text)| puts "-- #{text}" }
      @database.run(sql)
      sql.scan(/^-- enqueue (\S+)$/) { |(task)| MigrationTaskJob.perform_later(task) }
    end

    def announce(migration, text)
      line = "#{migration.version} #{migration.name}: #{text}"
      puts "== #{line} #{"=" * [0, 75 - line.length].max}"
    end
  end
end
