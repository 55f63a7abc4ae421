# frozen_string_literal: true

# Open to everybody where it is mounted.
class SidekiqWebController < ApplicationController
  def index
    body = "<!doctype html><html><head><title>[PRODUCTION] Sidekiq</title></head><body>Sidekiq</body></html>"
    @rendered = [200, {"Content-Type" => "text/html", "Content-Length" => body.bytesize.to_s}, [body]]
  end
end
