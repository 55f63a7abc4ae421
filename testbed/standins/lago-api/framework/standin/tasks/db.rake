# frozen_string_literal: true

require "standin/active_record"

namespace :db do
  task load_config: :environment

  task create: :load_config do
    name = Standin::Database.settings[:database]
    Standin::Database.maintenance do |database|
      database.run(%(CREATE DATABASE "#{name}" ENCODING = 'utf8'))
      puts "Created database '#{name}'"
    rescue Sequel::DatabaseError => error
      raise unless error.wrapped_exception.is_a?(PG::DuplicateDatabase)

      warn "Database '#{name}' already exists"
    end
  rescue Sequel::Error => error
    cause = error.wrapped_exception
    warn error.is_a?(Sequel::DatabaseConnectionError) ? cause.message.strip : "#{cause.class}: #{cause.message}".strip
    warn "Couldn't create '#{name}' database. Please check your configuration."
    raise ActiveRecord.translated(error, database: "postgres")
  end

  task migrate: :load_config do
    require "standin/migrator"
    Standin::Migrator.new(Standin::Database.pool).run(ENV["VERSION"])
  end

  task prepare: %i[create migrate]

  task abort_if_pending_migrations: :load_config do
    require "standin/migrator"
    pending = Standin::Migrator.new(Standin::Database.pool).pending
    next if pending.empty?

    puts "You have #{pending.size} pending #{(pending.size > 1) ? "migrations:" : "migration:"}"
    pending.each { |migration| puts format("  %4s %s", migration.version, migration.name) }
    abort "Run `bin/rails db:migrate` to update your database then try again."
  end
end
