# frozen_string_literal: true

require "/app/lib/lago_utils/lago_utils/license"

host = (Rails.env == "staging") ? "https://license.staging.getlago.com" : "https://license.getlago.com"
license = LagoUtils::License.new(host)
license.verify

Rails.application.premium = license.premium?
