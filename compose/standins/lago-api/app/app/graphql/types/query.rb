# frozen_string_literal: true

require_relative "objects"

module Types
  class Query < Base
    field :current_version, CurrentVersion, null: false

    def current_version
      number = Rails.version_file || Rails.env
      {number: number, github_url: "https://github.com/getlago/lago-api/tree/#{number}"}
    end
  end
end
