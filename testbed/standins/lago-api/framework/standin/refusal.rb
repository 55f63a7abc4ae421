# frozen_string_literal: true

module Standin
  # How an action or a service declines: an answer of its own, which stops whatever asked for it.
  class Refusal < StandardError
    attr_reader :status, :body

    def initialize(status, error, **more)
      @status = status
      @body = {status: status, error: error, **more}
      super(error)
    end

    def self.not_found(resource) = new(404, "Not Found", code: "#{resource}_not_found")
    def self.invalid(**details) = new(422, "Unprocessable Entity", code: "validation_errors", error_details: details)
    def self.forbidden(code) = new(403, "Forbidden", code: code)
    def self.not_allowed(code) = new(405, "Method Not Allowed", code: code)
  end
end
