# frozen_string_literal: true

require_relative "application_controller"

# Files by their signed addresses; nobody is asked for a key.
class ActiveStorageController < ApplicationController
  def redirect
    id = Files.verified(params["signed_id"], "blob_id")
    blob = found(id && database[:active_storage_blobs].first(id: id), "resource")
    # TLS is taken for granted, as in the real one: behind a proxy it ends there.
    location = "https://#{request.get_header("HTTP_HOST")}#{Files.disk_path(blob)}"
    @rendered = [302, {"Location" => location, "Content-Type" => "text/html; charset=utf-8",
                       "Cache-Control" => "max-age=300, private", "Content-Length" => "0"}, []]
  end

  def disk
    data = Files.verified(params["encoded_key"], "blob_key")
    path = data && Files.path(data["key"])
    raise Refusal.not_found("resource") unless path && File.exist?(path)

    bytes = File.binread(path)
    @rendered = [200, {"Content-Type" => data["content_type"], "Content-Disposition" => data["disposition"],
                       "Last-Modified" => File.mtime(path).httpdate, "Cache-Control" => "max-age=0, private, must-revalidate",
                       "Content-Length" => bytes.bytesize.to_s}, [bytes]]
  end
end
