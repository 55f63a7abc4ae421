# frozen_string_literal: true

class ApplicationController < Standin::Web::Controller
  def health
    Standin::Database.pool.run("SELECT 1")
    render json: version.merge(message: "Success")
  rescue Sequel::Error => error
    render json: version.merge(message: "Unhealthy", details: ActiveRecord.translated(error).message), status: 500
  end

  def not_found = not_found_error("resource")

  # A route of Lago's that the stand-in doesn't model says so; it never makes up an answer.
  def outside
    render status: 501, json: {
      status: 501, error: "Not Implemented", code: "outside_of_the_stand_in",
      details: "#{request.request_method} #{request.path} exists in Lago v1.16.0 but this stand-in does not model it."
    }
  end

  private

  def version
    number = Rails.version_file
    repository = "https://github.com/getlago/lago-api"
    {version: number || Rails.env, github_url: number ? "#{repository}/tree/#{number}" : repository}
  end

  def not_found_error(resource) = render(json: {status: 404, error: "Not Found", code: "#{resource}_not_found"}, status: 404)

  def unauthorized_error = render(json: {status: 401, error: "Unauthorized"}, status: 401)
end
