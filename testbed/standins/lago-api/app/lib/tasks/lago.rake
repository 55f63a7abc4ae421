# frozen_string_literal: true

namespace :lago do
  task version: :environment do
    require "json"
    require "standin/active_record"
    number = Rails.version_file
    schema = Standin::Database.pool[:schema_migrations].max(:version).to_i
    puts JSON.generate(number: number, github_url: "https://github.com/getlago/lago-api/tree/#{number}",
      schema_version: schema)
  end
end
