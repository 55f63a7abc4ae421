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
  def outside(what = "#{request.request_method} #{request.path} exists in Lago #{Standin::Release.tag} but")
    render status: 501, json: {
      status: 501, error: "Not Implemented", code: "outside_of_the_stand_in",
      details: "#{what} this stand-in does not model it."
    }
  end

  private

  Refusal = Standin::Refusal

  # The parameters under a root key, which must be there and hold something.
  def required(name)
    value = params[name.to_s]
    return value unless value.nil? || value == "" || value == {} || value == []

    raise Refusal.new(400, "BadRequest: param is missing or the value is empty: #{name}")
  end

  def found(row, resource) = row || raise(Refusal.not_found(resource))

  # Rows of one page, and what is said about it. An empty page has nothing but zeros to say.
  def paginated(dataset)
    size = params.fetch("per_page", 100).to_s
    size = size.match?(/\A\d+\z/) ? size.to_i : 25
    page = [params["page"].to_i, 1].max
    rows = size.zero? ? [] : dataset.limit(size, (page - 1) * size).all
    total = rows.empty? ? 0 : dataset.count
    pages = rows.empty? ? 0 : (total.to_f / size).ceil
    meta = {current_page: rows.empty? ? 0 : page, next_page: (page < pages) ? page + 1 : nil,
            prev_page: (!rows.empty? && page > 1) ? page - 1 : nil, total_pages: pages, total_count: total}
    [rows, meta]
  end

  def render_page(name, dataset)
    rows, meta = paginated(dataset)
    render json: {name => rows.map { |row| yield row }, :meta => meta}
  end

  def database = Standin::Database

  def version
    number = Rails.version_file
    repository = "https://github.com/getlago/lago-api"
    {version: number || Rails.env, github_url: number ? "#{repository}/tree/#{number}" : repository}
  end

  def not_found_error(resource) = render(json: {status: 404, error: "Not Found", code: "#{resource}_not_found"}, status: 404)

  def unauthorized_error = render(json: {status: 401, error: "Unauthorized"}, status: 401)
end
