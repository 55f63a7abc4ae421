# frozen_string_literal: true

class Organization
  def self.find(id) = id && Standin::Database.pool[:organizations].first(id: id)
end
