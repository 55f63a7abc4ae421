# frozen_string_literal: true

require_relative "../application_controller"

module Api
  # Checks the key first of all, then hands over to the resource's action.
  class BaseController < ApplicationController
    before_action :authenticate

    private

    # The second word of the header counts; the scheme before it is not looked at, and a key without a scheme
    # is no key.
    def key
      request.get_header("HTTP_AUTHORIZATION").to_s.split[1]
    end

    def authenticate
      return unauthorized_error if key.nil?

      # The next statement is the one that logs name when the database is away:
      # its line, and those of the two lambdas in the model.
      @current_organization = ApiKey::FIND.call(key)
      unauthorized_error unless @current_organization
    end
  end
end
