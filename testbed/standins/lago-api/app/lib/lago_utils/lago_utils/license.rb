# frozen_string_literal: true

require "json"
require "/app/lib/lago_http_client/lago_http_client/client"

module LagoUtils
  class License
    def initialize(url) = @url = url

    def verify
      return if ENV["LAGO_LICENSE"].to_s.strip.empty?

      client = LagoHttpClient::Client.new("#{@url}/verify/#{ENV["LAGO_LICENSE"]}")
      @answer = JSON.parse(client.get)
    end

    def premium? = !!@answer&.fetch("valid", false)
  end
end
