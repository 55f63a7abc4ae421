# frozen_string_literal: true

module ActiveRecord
  # Rows that are to be read, as records.
  class Relation
    include Enumerable

    QUERIES = %i[where order limit first last count find find_by find_by! pluck exists? create! new].freeze

    # Database errors as ActiveRecord's own.
    def self.translating
      yield
    rescue Sequel::Error => error
      raise ActiveRecord.translated(error)
    end

    # `given` are the values that new records begin with.
    def initialize(model, dataset, given = {})
      @model, @dataset, @given = model, dataset, given
    end

    def each(&block) = translating { @dataset.all }.map { |row| @model.instantiate(row) }.each(&block)

    def where(text = nil, *values, **wanted)
      wanted = wanted.to_h { |name, value| value.is_a?(Base) ? [:"#{name}_id", value.id] : [name, value] }
      narrowed = text ? @dataset.where(Sequel.lit("(#{text})", *values)) : @dataset
      narrowed = narrowed.where(wanted) unless wanted.empty?
      Relation.new(@model, narrowed, @given.merge(wanted))
    end

    def order(*names, **directions)
      by = names.map { |name| Sequel.asc(name) } + directions.map { |name, way| Sequel.public_send(way, name) }
      Relation.new(@model, @dataset.order_append(*by), @given)
    end

    def limit(number) = Relation.new(@model, @dataset.limit(number), @given)
    def first = ordered.limit(1).to_a[0]
    def last = ordered.to_a[-1]
    def count = translating { @dataset.count }
    alias size count
    def empty? = count.zero?
    def exists?(**wanted) = !where(**wanted).empty?
    def find_by(*text, **wanted) = where(*text, **wanted).limit(1).to_a[0]
    def pluck(*names) = translating { @dataset.select_map(names.size == 1 ? names[0] : names) }

    def find_by!(**wanted) = find_by(**wanted) || raise(RecordNotFound, "Couldn't find #{@model}")

    def find(id)
      find_by(id: id) || raise(RecordNotFound, "Couldn't find #{@model} with 'id'=#{id}")
    end

    def new(**values) = @model.allocate.tap { |record| record.send(:initialize, **@given, **values) }
    def create!(**values) = new(**values).tap(&:save!)

    private

    def ordered = @dataset.opts[:order] ? self : order(:id)
    def translating(&block) = Relation.translating(&block)
  end
end
