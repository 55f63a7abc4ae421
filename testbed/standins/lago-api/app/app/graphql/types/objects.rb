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

    def user! = context[:user] || failed("unauthorized", "unauthorized", "unauthorized")
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

  class Membership < Base
    column :id, GraphQL::Types::ID, null: false
    column :role, null: false
    field :organization, Organization, null: false

    def organization = database[:organizations].first(id: object[:organization_id])
  end

  class CurrentUser < Base
    column :id, GraphQL::Types::ID, null: false
    column :email
    field :premium, Boolean, null: false
    field :memberships, [Membership], null: false

    def premium = !!Rails.application.premium
    def memberships = database[:memberships].where(user_id: object[:id]).order(:created_at).all
  end

  class CurrentOrganization < Organization
    field :api_key, String, null: true

    def api_key = ApiKey.first_value(object[:id])
  end

  class ApiKeyObject < Base
    graphql_name "ApiKey"
    column :id, GraphQL::Types::ID, null: false
    column :value, null: false
  end

  # In a list only the end of a key is shown.
  class SanitizedApiKey < Base
    column :id, GraphQL::Types::ID, null: false
    field :value, String, null: false

    def value = "••••••••#{object[:value][-3..]}"
  end

  class CollectionMetadata < Base
    column :current_page, Integer, null: false
    column :limit_value, Integer, null: false
    column :total_pages, Integer, null: false
    column :total_count, Integer, null: false
  end

  class SanitizedApiKeyCollection < Base
    column :metadata, CollectionMetadata, null: false
    column :collection, [SanitizedApiKey], null: false
  end

  class Plan < Base
    column :id, GraphQL::Types::ID, null: false
    column :name, null: false
    column :code, null: false
    column :description
    column :amount_currency, null: false
    column :pay_in_advance, Boolean, null: false
    field :amount_cents, String, null: false
    field :interval, String, null: false
    field :active_subscriptions_count, Integer, null: false
    field :charge_count, Integer, null: false
    field :created_at, String, null: false

    def amount_cents = object[:amount_cents].to_s
    def interval = Plans::INTERVALS.fetch(object[:interval])
    def active_subscriptions_count = database[:subscriptions].where(plan_id: object[:id], status: Subscriptions::ACTIVE).count
    def charge_count = Charges.of(object).size
    def created_at = Text.time(object[:created_at])
  end

  class PlanCollection < Base
    column :metadata, CollectionMetadata, null: false
    column :collection, [Plan], null: false
  end
end
