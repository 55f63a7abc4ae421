# frozen_string_literal: true
require "standin/seed"

namespace :signup do
  task seed_organization: :environment do
    next unless ENV["LAGO_CREATE_ORG"] == "true"

    pp "starting seeding environment"
    needed = ENV.values_at("LAGO_ORG_USER_PASSWORD", "LAGO_ORG_USER_EMAIL", "LAGO_ORG_NAME")
    if needed.map(&:to_s).map(&:strip).include?("")
      raise "Couldn't find LAGO_ORG_USER_PASSWORD, LAGO_ORG_USER_EMAIL or LAGO_ORG_NAME in environement variables"
    end

    # An existing user keeps the password; an existing organization of that name is taken.
    user = Standin::Seed.user(ENV["LAGO_ORG_USER_EMAIL"], ENV["LAGO_ORG_USER_PASSWORD"])
    organization = Standin::Seed.organization(ENV["LAGO_ORG_NAME"])
    Standin::Seed.membership(user, organization)

    # One variable decides, another one gives the value: so it is until v1.19.0.
    if !ENV["LAGO_ORG_API_KEY"].to_s.strip.empty?
      Standin::Seed.api_key(organization, ENV[Standin::Release.since?("v1.19.1") ? "LAGO_ORG_API_KEY" : "LAGO_API_KEY"])
    else
      Standin::Seed.any_api_key(organization)
    end

    pp "ending seeding environment"
  end
end
