# frozen_string_literal: true

# Keys of the REST API. An expired one counts as unknown.
class ApiKey
  class << self
    def first_value(organization_id) = rows.where(organization_id: organization_id).order(:created_at).get(:value)

    def rows = Standin::Database.pool[:api_keys].where(ACTIVE)
  end

  # Row of the organization that a key belongs to, or nil: by two steps, for logs name the lines of both.

  FIND = ->(value) { BY_VALUE.call(value) }

  BY_VALUE = ->(value) { Standin::Database.check_table("api_keys") && Organization.find(rows.where(value: value).get(:organization_id)) }

  ACTIVE = Sequel.lit("api_keys.expires_at IS NULL OR api_keys.expires_at > ?", Sequel::CURRENT_TIMESTAMP)
end
