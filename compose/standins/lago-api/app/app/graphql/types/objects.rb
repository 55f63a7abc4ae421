# frozen_string_literal: true

module Types
  class Base < GraphQL::Schema::Object
    # Rows are hashes; a field reads the column of its name.
    def self.column(name, type = String, null: true)
      field(name, type, null: null)
      define_method(name) { object[name] }
    end

    private

    def database = Standin::Database.pool

    def failed(message, status, code, **extensions)
      raise GraphQL::ExecutionError.new(message, extensions: {status: status, code: code, **extensions})
    end

    def unprocessable(**details) = failed("Unprocessable Entity", 422, "unprocessable_entity", details: details)

    def organization!
      context[:organization] || failed("Missing organization id", "forbidden", "forbidden")
    end
  end

  class CurrentVersion < Base
    column :number, null: false
    column :github_url, null: false
  end

  class Organization < Base
    column :id, GraphQL::Types::ID, null: false
    column :name, null: false
  end

  class User < Base
    column :id, GraphQL::Types::ID, null: false
    column :email
    field :organizations, [Organization], null: false

    def organizations
      database[:organizations].where(id: database[:memberships].where(user_id: object[:id]).select(:organization_id)).all
    end
  end
end
