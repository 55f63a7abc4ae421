# frozen_string_literal: true

require_relative "application_controller"

# The web UI's only backend. Errors are in the body; the status is 200.
class GraphqlController < ApplicationController
  def execute
    require "/app/app/graphql/schema"
    user = Session.user(bearer)
    @headers["x-lago-token"] = Session.token(user[:id]) if user
    @current_organization = organization_of(user)
    answer = LagoSchema.answer(params["query"], variables: params["variables"] || {},
      operation_name: params["operationName"], context: {user: user, organization: @current_organization})
    beyond = LagoSchema.beyond(answer)
    beyond ? outside("Lago #{Standin::Release.tag} may have #{beyond}, but") : render(json: answer)
  rescue JWT::ExpiredSignature
    extensions = {status: 401, code: "expired_jwt_token"}
    render json: {data: {}, errors: [{message: "expired_jwt_token", extensions: extensions}]}
  end

  private

  def bearer = request.get_header("HTTP_AUTHORIZATION").to_s.split[1]

  # The organization of the header, if the user is a member of it.
  def organization_of(user)
    id = request.get_header("HTTP_X_LAGO_ORGANIZATION")
    return unless user && id

    database = Standin::Database.pool
    Organization.find(id) if database[:memberships].first(Sequel.cast(:organization_id, String) => id, user_id: user[:id])
  end
end
