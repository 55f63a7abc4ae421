# frozen_string_literal: true

require_relative "objects"

module Types
  class Query < Base
    field :current_version, CurrentVersion, null: false
    field :current_user, CurrentUser, null: false
    field :organization, CurrentOrganization, null: true
    field :api_keys, SanitizedApiKeyCollection, null: false do
      argument :page, Integer, required: false
      argument :limit, Integer, required: false
    end
    field(:api_key, ApiKeyObject, null: false) { argument :id, GraphQL::Types::ID }
    field :plans, PlanCollection, null: false do
      argument :page, Integer, required: false
      argument :limit, Integer, required: false
      argument :search_term, String, required: false
    end

    def current_version
      number = Rails.version_file || Rails.env
      {number: number, github_url: "https://github.com/getlago/lago-api/tree/#{number}"}
    end

    def current_user = user!

    def organization = organization!

    def api_keys(page: 1, limit: 20) = collection(own_keys.order(:created_at), page, limit)

    def api_key(id:) = own_keys.first(Sequel.cast(:id, String) => id) || failed("Resource not found", 404, "not_found")

    def plans(page: 1, limit: 20, search_term: nil)
      rows = Plans.of(organization!).order(Sequel.desc(:created_at))
      rows = rows.where(Sequel.ilike(:name, "%#{search_term}%") | Sequel.ilike(:code, "%#{search_term}%")) if search_term
      collection(rows, page, limit)
    end

    private

    def own_keys = ApiKey.rows.where(organization_id: organization![:id])

    def collection(dataset, page, limit)
      total = dataset.count
      {
        collection: dataset.limit(limit, (page - 1) * limit).all,
        metadata: {current_page: page, limit_value: limit, total_pages: (total.to_f / limit).ceil, total_count: total}
      }
    end
  end
end
