# frozen_string_literal: true

# Every route that the stand-in answers, and those of Lago that it names as outside (501).
ROUTES = [
  ["GET", "/health", "application#health"],
  ["POST", "/graphql", "graphql#execute"],

  ["GET", "/api/v1/organizations", "api/v1/organizations#show"],
  ["GET", "/api/v1/organizations/grpc_token", "api/v1/organizations#grpc_token"],
  ["GET", "/api/v1/webhooks/public_key", "api/v1/webhooks#public_key"],
  ["GET", "/api/v1/webhooks/json_public_key", "api/v1/webhooks#json_public_key"]
]

ROUTES << ["GET", "/sidekiq", "sidekiq_web#index"] if ENV["LAGO_SIDEKIQ_WEB"] == "true"

# Families of Lago's routes that are not modelled: any verb, any depth.
OUTSIDE = %w[add_ons analytics credit_notes data_api lifetime_usage overdue_balances payment_requests payments taxes
             wallet_transactions].freeze
%w[GET POST PUT DELETE].product(OUTSIDE).each do |verb, family|
  ROUTES << [verb, "/api/v1/#{family}(?:/.*)?", "application#outside"]
end
