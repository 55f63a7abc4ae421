# frozen_string_literal: true

require "standin/active_record"
require "standin/runner/relation"

module ActiveRecord
  class RecordNotFound < ActiveRecordError; end

  # The one connection of a program that `rails runner` runs.
  class Connection
    # PG::Result with numbers and booleans as Ruby's own, by the oids of their types.
    def execute(sql)
      Relation.translating do
        Standin::Database.pool.synchronize { |connection| connection.async_exec(sql).map_types!(TYPES) }
      rescue PG::Error => error
        raise Sequel.convert_exception_class(error, Sequel::DatabaseError)
      end
    end

    TYPES = PG::TypeMapByOid.new.tap do |types|
      {16 => PG::TextDecoder::Boolean, 20 => PG::TextDecoder::Integer, 21 => PG::TextDecoder::Integer,
       23 => PG::TextDecoder::Integer, 701 => PG::TextDecoder::Float}.each do |oid, decoder|
        types.add_coder(decoder.new(oid: oid, format: 0))
      end
    end
    private_constant :TYPES
  end

  # A row with a method for each of its columns, and nothing else: what is unknown here fails as Ruby fails.
  class Base
    class << self
      attr_accessor :table

      def connection = @@connection ||= Connection.new
      def transaction(&block) = Standin::Database.transaction(&block)

      def unscoped = Relation.new(self, Standin::Database[table])
      def all = unscoped

      Relation::QUERIES.each do |name|
        define_method(name) { |*arguments, **named, &block| all.public_send(name, *arguments, **named, &block) }
      end

      # A record of a stored row.
      def instantiate(row) = allocate.tap { |record| record.send(:take, row) }

      def columns
        @columns ||= Relation.translating { Standin::Database[table].columns }.each { |name| accessors(name) }
      end

      private

      def accessors(name)
        define_method(name) { @values[name] } unless method_defined?(name)
        define_method("#{name}=") { |value| @values[name] = value } unless method_defined?("#{name}=")
      end
    end

    def initialize(**values)
      self.class.columns
      @values = {}
      assign_attributes(**values)
    end

    def persisted? = @stored || false
    def [](name) = @values[name.to_sym]
    def ==(other) = other.class == self.class && persisted? && other.id == id

    def assign_attributes(**values)
      values.each do |name, value|
        unless respond_to?("#{name}=")
          raise ActiveModel::UnknownAttributeError, "unknown attribute '#{name}' for #{self.class}."
        end

        public_send("#{name}=", value)
      end
    end

    def update!(**values)
      assign_attributes(**values)
      save!
    end

    def save!
      raise RecordInvalid, "Validation failed: #{problem}" if problem

      Relation.translating { persisted? ? change : create }
      true
    end

    def reload
      take(Standin::Database[self.class.table].first(id: id))
      self
    end

    private

    # What forbids that it is saved; nil when nothing does.
    def problem = nil

    def before_create = nil

    def create
      before_create
      take(Standin::Database.insert(self.class.table, @values))
    end

    def change = take(Standin::Database.update(self.class.table, {id: id}, @values.except(:id)))

    def take(row)
      self.class.columns
      @stored = true
      @values = row
    end
  end
end
