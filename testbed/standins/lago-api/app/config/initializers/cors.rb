# frozen_string_literal: true

require "rack/cors"

Rails.application.middleware Rack::Cors do
  allow do
    if ENV.key?("LAGO_FRONT_URL")
      front = URI(ENV["LAGO_FRONT_URL"])
      origins([80, 443].include?(front.port) ? front.host : [front.host, front.port].join(":"))
    elsif ENV.key?("LAGO_DOMAIN")
      origins ENV["LAGO_DOMAIN"]
    end

    resource "*", headers: :any, methods: %i[get post put patch delete options head]
  end
end
