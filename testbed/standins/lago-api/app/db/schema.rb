ActiveRecord::Schema.define(version: 2024_11_19_110219) do

  enable_extension "pgcrypto"
  enable_extension "plpgsql"
  enable_extension "unaccent"

  create_table "active_storage_attachments", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.string "name", null: false
    t.string "record_type", null: false
    t.uuid "record_id", null: false
    t.uuid "blob_id", null: false
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.index ["record_type", "record_id", "name", "blob_id"], name: "index_active_storage_attachments_uniqueness", unique: true
  end

  create_table "active_storage_blobs", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.string "key", null: false
    t.string "filename", null: false
    t.string "content_type"
    t.string "service_name", null: false
    t.bigint "byte_size", null: false
    t.string "checksum"
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.index ["key"], name: "index_active_storage_blobs_on_key", unique: true
  end

  create_table "api_keys", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "organization_id", null: false
    t.string "value", null: false
    t.datetime "expires_at", precision: 6
    t.datetime "last_used_at", precision: 6
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
    t.string "name"
    t.index ["value"], name: "index_api_keys_on_value", unique: true
  end

  create_table "applied_coupons", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "coupon_id", null: false
    t.uuid "customer_id", null: false
    t.integer "status", default: 0, null: false
    t.bigint "amount_cents"
    t.string "amount_currency"
    t.decimal "percentage_rate"
    t.integer "frequency", null: false
    t.integer "frequency_duration"
    t.integer "frequency_duration_remaining"
    t.datetime "terminated_at", precision: 6
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
  end

  create_table "billable_metrics", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "organization_id", null: false
    t.string "name", null: false
    t.string "code", null: false
    t.string "description"
    t.integer "aggregation_type", null: false
    t.string "field_name"
    t.boolean "recurring", default: false, null: false
    t.string "rounding_function"
    t.integer "rounding_precision"
    t.string "weighted_interval"
    t.string "expression"
    t.datetime "deleted_at", precision: 6
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
    t.index ["organization_id", "code"], name: "index_billable_metrics_on_organization_id_and_code", unique: true, where: "(deleted_at IS NULL)"
  end

  create_table "charges", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "plan_id", null: false
    t.uuid "billable_metric_id", null: false
    t.string "invoice_display_name"
    t.integer "charge_model", null: false
    t.boolean "invoiceable", default: true, null: false
    t.boolean "pay_in_advance", default: false, null: false
    t.boolean "prorated", default: false, null: false
    t.bigint "min_amount_cents", default: 0, null: false
    t.jsonb "properties", default: {}, null: false
    t.datetime "deleted_at", precision: 6
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
  end

  create_table "coupons", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "organization_id", null: false
    t.string "name", null: false
    t.string "code"
    t.text "description"
    t.integer "coupon_type", null: false
    t.bigint "amount_cents"
    t.string "amount_currency"
    t.decimal "percentage_rate"
    t.integer "frequency", null: false
    t.integer "frequency_duration"
    t.boolean "reusable", default: true, null: false
    t.integer "expiration", null: false
    t.datetime "expiration_at", precision: 6
    t.datetime "terminated_at", precision: 6
    t.datetime "deleted_at", precision: 6
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
  end

  create_table "credit_notes", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "customer_id", null: false
    t.uuid "invoice_id", null: false
    t.uuid "fee_id", null: false
    t.uuid "item_id", default: -> { "gen_random_uuid()" }, null: false
    t.integer "sequential_id", null: false
    t.string "number", null: false
    t.string "reason", null: false
    t.string "credit_amount_currency", null: false
    t.bigint "credit_amount_cents", null: false
    t.bigint "balance_amount_cents", null: false
    t.date "issuing_date", null: false
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
  end

  create_table "credits", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "invoice_id", null: false
    t.uuid "credit_note_id"
    t.uuid "applied_coupon_id"
    t.bigint "amount_cents", null: false
    t.string "amount_currency", null: false
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
  end

  create_table "customers", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "organization_id", null: false
    t.string "external_id", null: false
    t.string "name"
    t.string "firstname"
    t.string "lastname"
    t.string "customer_type"
    t.bigint "sequential_id", null: false
    t.string "slug", null: false
    t.string "country"
    t.string "address_line1"
    t.string "address_line2"
    t.string "state"
    t.string "zipcode"
    t.string "email"
    t.string "city"
    t.string "url"
    t.string "phone"
    t.string "logo_url"
    t.string "legal_name"
    t.string "legal_number"
    t.string "currency"
    t.string "tax_identification_number"
    t.string "timezone"
    t.integer "invoice_grace_period"
    t.integer "net_payment_term"
    t.string "document_locale"
    t.jsonb "shipping_address", default: {}, null: false
    t.jsonb "metadata", default: [], null: false
    t.string "external_salesforce_id"
    t.string "finalize_zero_amount_invoice", default: "inherit", null: false
    t.datetime "deleted_at", precision: 6
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
    t.index ["external_id", "organization_id"], name: "index_customers_on_external_id_and_organization_id", unique: true, where: "(deleted_at IS NULL)"
  end

  create_table "events", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "organization_id", null: false
    t.string "transaction_id", null: false
    t.string "code", null: false
    t.string "external_subscription_id"
    t.datetime "timestamp", precision: 6, null: false
    t.jsonb "properties", default: {}, null: false
    t.decimal "precise_total_amount_cents", precision: 40, scale: 15
    t.datetime "deleted_at", precision: 6
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
    t.index ["external_subscription_id", "code", "timestamp"], name: "events_external_subscription_id_code_timestamp_idx"
    t.index ["organization_id", "code", "created_at"], name: "events_organization_id_code_created_at_idx", where: "(deleted_at IS NULL)"
    t.index ["organization_id", "code"], name: "events_organization_id_code_idx"
    t.index ["organization_id", "external_subscription_id", "transaction_id"], name: "index_unique_transaction_id", unique: true
    t.index ["organization_id", "timestamp"], name: "events_organization_id_timestamp_idx", where: "(deleted_at IS NULL)"
  end

  create_table "fees", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "invoice_id"
    t.uuid "subscription_id", null: false
    t.uuid "charge_id"
    t.string "fee_type", null: false
    t.string "invoiceable_type"
    t.uuid "invoiceable_id"
    t.bigint "amount_cents", null: false
    t.string "amount_currency", null: false
    t.decimal "units", null: false
    t.decimal "precise_unit_amount", default: "0.0", null: false
    t.integer "events_count"
    t.boolean "pay_in_advance", default: false, null: false
    t.jsonb "amount_details", default: {}, null: false
    t.datetime "from_datetime", precision: 6, null: false
    t.datetime "to_datetime", precision: 6, null: false
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
    t.index ["invoiceable_type", "invoiceable_id"], name: "fees_invoiceable_type_invoiceable_id_idx"
  end

  create_table "invoice_subscriptions", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "invoice_id", null: false
    t.uuid "subscription_id", null: false
    t.string "invoicing_reason", null: false
    t.datetime "timestamp", precision: 6, null: false
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
  end

  create_table "invoices", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "organization_id", null: false
    t.uuid "customer_id", null: false
    t.integer "sequential_id"
    t.string "number", default: "", null: false
    t.date "issuing_date", null: false
    t.date "payment_due_date", null: false
    t.integer "net_payment_term", default: 0, null: false
    t.integer "invoice_type", default: 0, null: false
    t.integer "status", null: false
    t.string "timezone", default: "UTC", null: false
    t.integer "payment_status", default: 0, null: false
    t.boolean "payment_overdue", default: false, null: false
    t.datetime "payment_dispute_lost_at", precision: 6
    t.string "currency", null: false
    t.bigint "fees_amount_cents", default: 0, null: false
    t.bigint "coupons_amount_cents", default: 0, null: false
    t.bigint "credit_notes_amount_cents", default: 0, null: false
    t.bigint "prepaid_credit_amount_cents", default: 0, null: false
    t.bigint "total_amount_cents", default: 0, null: false
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
    t.index ["customer_id", "sequential_id"], name: "index_invoices_on_customer_id_and_sequential_id", unique: true
    t.index ["payment_overdue"], name: "invoices_payment_overdue_idx"
    t.index ["status"], name: "invoices_status_idx"
  end

  create_table "memberships", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "organization_id", null: false
    t.uuid "user_id", null: false
    t.string "role", default: "admin", null: false
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
  end

  create_table "organizations", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.string "name", null: false
    t.string "default_currency", default: "USD", null: false
    t.string "country"
    t.string "address_line1"
    t.string "address_line2"
    t.string "state"
    t.string "zipcode"
    t.string "email"
    t.string "city"
    t.string "legal_name"
    t.string "legal_number"
    t.string "timezone", default: "UTC", null: false
    t.integer "net_payment_term", default: 0, null: false
    t.string "email_settings", default: [], null: false, array: true
    t.string "document_numbering", null: false
    t.string "document_number_prefix", null: false
    t.string "tax_identification_number"
    t.boolean "finalize_zero_amount_invoice", default: true, null: false
    t.text "invoice_footer"
    t.integer "invoice_grace_period", default: 0, null: false
    t.string "document_locale", default: "en", null: false
    t.string "hmac_key", null: false
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
  end

  create_table "plans", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "organization_id", null: false
    t.uuid "parent_id"
    t.string "name", null: false
    t.string "invoice_display_name"
    t.string "code", null: false
    t.integer "interval", null: false
    t.string "description"
    t.bigint "amount_cents", null: false
    t.string "amount_currency", null: false
    t.float "trial_period"
    t.boolean "pay_in_advance", default: false, null: false
    t.boolean "bill_charges_monthly"
    t.boolean "pending_deletion", default: false, null: false
    t.datetime "deleted_at", precision: 6
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
    t.index ["organization_id", "code"], name: "index_plans_on_organization_id_and_code", unique: true, where: "((deleted_at IS NULL) AND (parent_id IS NULL))"
  end

  create_table "subscriptions", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "customer_id", null: false
    t.uuid "plan_id", null: false
    t.uuid "previous_subscription_id"
    t.string "external_id", null: false
    t.string "name"
    t.integer "status", null: false
    t.integer "billing_time", default: 0, null: false
    t.datetime "subscription_at", precision: 6
    t.datetime "started_at", precision: 6
    t.datetime "trial_ended_at", precision: 6
    t.datetime "ending_at", precision: 6
    t.datetime "terminated_at", precision: 6
    t.datetime "canceled_at", precision: 6
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
    t.index ["external_id"], name: "subscriptions_external_id_idx"
    t.index ["status"], name: "subscriptions_status_idx"
  end

  create_table "users", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.string "email", null: false
    t.string "password_digest", null: false
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
  end

  create_table "wallet_transactions", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "wallet_id", null: false
    t.integer "status", null: false
    t.integer "transaction_status", default: 0, null: false
    t.integer "transaction_type", null: false
    t.decimal "amount", precision: 30, scale: 5, null: false
    t.decimal "credit_amount", precision: 30, scale: 5, null: false
    t.datetime "settled_at", precision: 6
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
  end

  create_table "wallets", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "customer_id", null: false
    t.integer "status", default: 0, null: false
    t.string "balance_currency", null: false
    t.string "name"
    t.decimal "rate_amount", precision: 30, scale: 5, null: false
    t.decimal "credits_balance", precision: 30, scale: 5, default: "0.0", null: false
    t.bigint "balance_cents", default: 0, null: false
    t.decimal "credits_ongoing_balance", precision: 30, scale: 5, default: "0.0", null: false
    t.decimal "credits_ongoing_usage_balance", precision: 30, scale: 5, default: "0.0", null: false
    t.decimal "consumed_credits", precision: 30, scale: 5, default: "0.0", null: false
    t.datetime "expiration_at", precision: 6
    t.datetime "last_balance_sync_at", precision: 6
    t.datetime "last_consumed_credit_at", precision: 6
    t.datetime "terminated_at", precision: 6
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
  end

  create_table "webhook_endpoints", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "organization_id", null: false
    t.string "webhook_url", null: false
    t.integer "signature_algo", default: 0, null: false
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
  end

  create_table "webhooks", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
    t.uuid "webhook_endpoint_id", null: false
    t.string "webhook_type", null: false
    t.uuid "object_id"
    t.json "payload", null: false
    t.string "endpoint", null: false
    t.integer "status", default: 0, null: false
    t.integer "retries", default: 0, null: false
    t.integer "http_status"
    t.string "response"
    t.datetime "last_retried_at", precision: 6
    t.datetime "created_at", precision: 6, default: -> { "now()" }, null: false
    t.datetime "updated_at", precision: 6, default: -> { "now()" }, null: false
  end

  add_foreign_key "active_storage_attachments", "active_storage_blobs", column: "blob_id", name: "active_storage_attachments_blob_id_fkey"
  add_foreign_key "api_keys", "organizations", name: "api_keys_organization_id_fkey"
  add_foreign_key "applied_coupons", "coupons", name: "applied_coupons_coupon_id_fkey"
  add_foreign_key "applied_coupons", "customers", name: "applied_coupons_customer_id_fkey"
  add_foreign_key "billable_metrics", "organizations", name: "billable_metrics_organization_id_fkey"
  add_foreign_key "charges", "billable_metrics", name: "charges_billable_metric_id_fkey"
  add_foreign_key "charges", "plans", name: "charges_plan_id_fkey"
  add_foreign_key "coupons", "organizations", name: "coupons_organization_id_fkey"
  add_foreign_key "credit_notes", "customers", name: "credit_notes_customer_id_fkey"
  add_foreign_key "credit_notes", "fees", name: "credit_notes_fee_id_fkey"
  add_foreign_key "credit_notes", "invoices", name: "credit_notes_invoice_id_fkey"
  add_foreign_key "credits", "applied_coupons", name: "credits_applied_coupon_id_fkey"
  add_foreign_key "credits", "credit_notes", name: "credits_credit_note_id_fkey"
  add_foreign_key "credits", "invoices", name: "credits_invoice_id_fkey"
  add_foreign_key "customers", "organizations", name: "customers_organization_id_fkey"
  add_foreign_key "events", "organizations", name: "events_organization_id_fkey"
  add_foreign_key "fees", "charges", name: "fees_charge_id_fkey"
  add_foreign_key "fees", "invoices", name: "fees_invoice_id_fkey"
  add_foreign_key "fees", "subscriptions", name: "fees_subscription_id_fkey"
  add_foreign_key "invoice_subscriptions", "invoices", name: "invoice_subscriptions_invoice_id_fkey"
  add_foreign_key "invoice_subscriptions", "subscriptions", name: "invoice_subscriptions_subscription_id_fkey"
  add_foreign_key "invoices", "customers", name: "invoices_customer_id_fkey"
  add_foreign_key "invoices", "organizations", name: "invoices_organization_id_fkey"
  add_foreign_key "memberships", "organizations", name: "memberships_organization_id_fkey"
  add_foreign_key "memberships", "users", name: "memberships_user_id_fkey"
  add_foreign_key "plans", "organizations", name: "plans_organization_id_fkey"
  add_foreign_key "plans", "plans", column: "parent_id", name: "plans_parent_id_fkey"
  add_foreign_key "subscriptions", "customers", name: "subscriptions_customer_id_fkey"
  add_foreign_key "subscriptions", "plans", name: "subscriptions_plan_id_fkey"
  add_foreign_key "subscriptions", "subscriptions", column: "previous_subscription_id", name: "subscriptions_previous_subscription_id_fkey"
  add_foreign_key "wallet_transactions", "wallets", name: "wallet_transactions_wallet_id_fkey"
  add_foreign_key "wallets", "customers", name: "wallets_customer_id_fkey"
  add_foreign_key "webhook_endpoints", "organizations", name: "webhook_endpoints_organization_id_fkey"
  add_foreign_key "webhooks", "webhook_endpoints", name: "webhooks_webhook_endpoint_id_fkey", on_delete: :cascade
end
