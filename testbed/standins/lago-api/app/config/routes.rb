# frozen_string_literal: true

# Every route that the stand-in answers; the last rows are those of Lago that it names as outside (501).
# `*code` takes dots, `:id` doesn't.
V1 = "/api/v1"

def self.resource(name, parameter, *actions)
  path = "#{V1}/#{name}"
  {index: ["GET", path], create: ["POST", path], show: ["GET", "#{path}/#{parameter}"],
   update: ["PUT", "#{path}/#{parameter}"], destroy: ["DELETE", "#{path}/#{parameter}"]}
    .slice(*actions).map { |action, row| [*row, "api/v1/#{name}##{action}"] }
end

ALL = %i[index create show update destroy].freeze

ROUTES = [
  ["GET", "/health", "application#health"],
  ["POST", "/graphql", "graphql#execute"],
  ["GET", "/rails/active_storage/blobs/redirect/*signed_id/*filename", "active_storage#redirect"],
  ["GET", "/rails/active_storage/disk/*encoded_key/*filename", "active_storage#disk"],

  ["GET", "#{V1}/organizations", "api/v1/organizations#show"],
  ["PUT", "#{V1}/organizations", "api/v1/organizations#update"],
  ["GET", "#{V1}/organizations/grpc_token", "api/v1/organizations#grpc_token"],
  ["GET", "#{V1}/webhooks/public_key", "api/v1/webhooks#public_key"],
  ["GET", "#{V1}/webhooks/json_public_key", "api/v1/webhooks#json_public_key"],
  ["GET", "#{V1}/customers/:external_id/current_usage", "api/v1/usage#show"],
  ["POST", "#{V1}/events/batch", "api/v1/events#batch"],
  ["POST", "#{V1}/invoices/:id/download", "api/v1/invoices#download"],

  *resource("billable_metrics", "*code", *ALL),
  *resource("plans", "*code", *ALL),
  *resource("coupons", "*code", :index, :create, :show, :destroy),
  *resource("applied_coupons", ":id", :index, :create),
  *resource("customers", ":external_id", :index, :create, :show, :destroy),
  *resource("subscriptions", ":external_id", *ALL),
  *resource("events", ":id", :index, :create, :show),
  *resource("invoices", ":id", :index, :show),
  *resource("fees", ":id", :index, :show),
  *resource("wallets", ":id", :index, :create, :show, :destroy),
  *resource("webhook_endpoints", ":id", *ALL)
]

# Several releases mount it without being asked to.
always = Standin::Release.since?("v1.17.0") && !Standin::Release.since?("v1.30.0")
ROUTES << ["GET", "/sidekiq", "sidekiq_web#index"] if always || ENV["LAGO_SIDEKIQ_WEB"] == "true"

# Lago's routes that are not modelled, without their verb or with it.
[
  "add_ons(?:/.*)?", "analytics/.*", "credit_notes(?:/.*)?", "payment_requests", "taxes(?:/.*)?",
  "wallet_transactions(?:/.*)?", "billable_metrics/evaluate_expression", "events/estimate_fees",
  "customers/[^/]+/(?:portal_url|past_usage|checkout_url|applied_coupons/.*)",
  "subscriptions/[^/]+/lifetime_usage", "wallets/[^/]+/wallet_transactions",
  "invoices/[^/]+/(?:void|refresh|retry|retry_payment|finalize|lose_dispute|payment_url|sync_salesforce_id)"
].product(%w[GET POST PUT DELETE]) { |path, verb| ROUTES << [verb, "#{V1}/#{path}", "application#outside"] }

[
  ["PUT", "coupons/[^/]+"], ["POST", "invoices"], ["PUT", "invoices/[^/]+"], ["PUT", "fees/[^/]+"],
  ["DELETE", "fees/[^/]+"], ["PUT", "wallets/[^/]+"]
].each { |verb, path| ROUTES << [verb, "#{V1}/#{path}", "application#outside"] }
