# frozen_string_literal: true

require "pg"
require "sequel"
require "standin/ownership"
require "uri"

# ActiveRecord's errors, by the rules of its PostgreSQL adapter: they are what the application's logs,
# /health and the tasks show.
module ActiveRecord
  class ActiveRecordError < StandardError; end
  class RecordInvalid < ActiveRecordError; end
  class ConcurrentMigrationError < ActiveRecordError
    def initialize = super("Cannot run migrations because another migration process is currently running.")
  end
  class AdapterError < ActiveRecordError; end
  class ConnectionNotEstablished < AdapterError; end
  class StatementInvalid < AdapterError; end
  class RecordNotUnique < StatementInvalid; end
  class NotNullViolation < StatementInvalid; end
  class ConnectionFailed < StatementInvalid; end

  class NoDatabaseError < StatementInvalid
    def self.db_error(name) = new(<<~TEXT)
      We could not find your database: #{name}. Available database configurations can be found in config/database.yml.

      To resolve this error:

      - Did you not create the database, or did you delete it? To create the database, run:

          bin/rails db:create

      - Has the database name changed? Verify that config/database.yml contains the correct database name.
    TEXT
  end

  class DatabaseConnectionError < ConnectionNotEstablished
    def self.hostname_error(name) = new(<<~TEXT)
      There is an issue connecting with your hostname: #{name}.

      Please check your database configuration and ensure there is a valid connection to your database.
    TEXT

    def self.username_error(name) = new(<<~TEXT)
      There is an issue connecting to your database with your username/password, username: #{name}.

      Please check your database configuration to ensure the username/password are valid.
    TEXT
  end

  class << self
    # The error as ActiveRecord would have raised it: same backtrace, PostgreSQL's own error as its cause.
    def translated(error, database: Standin::Database.settings[:database])
      return error unless error.is_a?(Sequel::Error)

      cause = error.wrapped_exception || error.cause
      translation = error.is_a?(Sequel::DatabaseConnectionError) ? of_connection(cause, database) : of_statement(cause || error)
      raise translation, translation.message, error.backtrace, cause: cause
    rescue ActiveRecordError => translated
      translated
    end

    private

    # The adapter looks for the names of its settings in PostgreSQL's message, in this order: so a host
    # `lago-db` that is down reads like a missing database `lago`.
    def of_connection(cause, database)
      message = cause.message.strip
      user, host = Standin::Database.settings.values_at(:user, :host)
      if database == "postgres" then ConnectionNotEstablished.new(message)
      elsif database && message.include?(database) then NoDatabaseError.db_error(database)
      elsif user && message.include?(user) then DatabaseConnectionError.username_error(user)
      elsif host && message.include?(host) then DatabaseConnectionError.hostname_error(host)
      else ConnectionNotEstablished.new(message)
      end
    end

    def of_statement(cause)
      klass = case cause
              when PG::UniqueViolation then RecordNotUnique
              when PG::NotNullViolation then NotNullViolation
              when PG::ConnectionBad, PG::UnableToSend then ConnectionFailed
              else StatementInvalid
              end
      klass.new("#{cause.class}: #{cause.message}")
    end
  end
end

module ActiveModel
  class UnknownAttributeError < NoMethodError; end
end

module Standin
  # The one connection pool of a process, opened on first use.
  module Database
    class << self
      # PostgreSQL's settings out of DATABASE_URL; all nil without it, which is libpq's local socket.
      def settings
        @settings ||= begin
          uri = URI(ENV["DATABASE_URL"].to_s)
          path = uri.path.to_s.delete_prefix("/")
          {host: uri.host, port: uri.port, user: uri.user && URI.decode_www_form_component(uri.user),
           password: uri.password && URI.decode_www_form_component(uri.password),
           database: path.empty? ? nil : path,
           search_path: URI.decode_www_form(uri.query.to_s).to_h["search_path"] || ENV.fetch("POSTGRES_SCHEMA", "public")}
        end
      end

      def connect(database: settings[:database])
        options = settings.merge(adapter: "postgres", database: database, test: false, keep_reference: false,
          max_connections: ENV.fetch("DATABASE_POOL", 10).to_i, pool_timeout: 5,
          connect_timeout: 5, driver_options: {application_name: "bin/rails"}).compact
        Sequel.connect(options).tap do |connection|
          # A connection that PostgreSQL has dropped is replaced before it is used.
          connection.extension(:connection_validator, :pg_json)
          connection.pool.connection_validation_timeout = -1
          connection.wrap_json_primitives = true
        end
      end

      def pool
        @lock ||= Mutex.new
        @pool || @lock.synchronize { @pool ||= connect }
      end

      def [](table) = pool[table]

      # The row as it was stored.
      def insert(table, values) = self[table].returning.insert(Ownership.added(table, values)).first

      # The row after the change; `updated_at` moves.
      def update(table, row, values)
        self[table].where(id: row[:id]).returning.update(values.merge(updated_at: Time.now.utc)).first
      end

      def transaction(&block) = pool.transaction(&block)

      # Runs the block with a connection to the maintenance database `postgres`.
      def maintenance
        connection = connect(database: "postgres")
        yield connection
      ensure
        connection&.disconnect
      end

      # Raises as loading a model's columns does when the table isn't there.
      def check_table(name)
        @known ||= {}
        @known[name] ||= pool.fetch(COLUMNS, %("#{name}")).all && true
      rescue Sequel::DatabaseError => error
        error.set_backtrace([]) unless error.is_a?(Sequel::DatabaseConnectionError)
        raise
      end
    end

    COLUMNS = <<~SQL
      SELECT a.attname, format_type(a.atttypid, a.atttypmod),
             pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod,
             c.collname, col_description(a.attrelid, a.attnum) AS comment,
             attidentity AS identity,
             attgenerated as attgenerated
        FROM pg_attribute a
        LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        LEFT JOIN pg_type t ON a.atttypid = t.oid
        LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation
       WHERE a.attrelid = ?::regclass
    SQL
  end
end

Sequel.default_timezone = :utc
