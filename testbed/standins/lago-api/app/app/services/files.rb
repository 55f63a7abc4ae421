# frozen_string_literal: true

require "base64"
require "digest"
require "json"
require "openssl"
require "securerandom"
require "standin/ruby33"

# Files as Active Storage keeps them: on the disk under /app/storage, found through signed addresses.
module Files
  ROOT = "/app/storage"
  SECONDS = 300

  class << self
    def store(filename, content_type, bytes)
      key = SecureRandom.alphanumeric(28).downcase
      FileUtils.mkdir_p(File.dirname(path(key)))
      File.binwrite(path(key), bytes)
      Standin::Database.insert(:active_storage_blobs, key: key, filename: filename, content_type: content_type, service_name: "local",
        byte_size: bytes.bytesize, checksum: Digest::MD5.base64digest(bytes))
    end

    # A record has one file at most, by the name "file".
    def attach(record_type, record_id, blob)
      Standin::Database.insert(:active_storage_attachments, name: "file", record_type: record_type, record_id: record_id, blob_id: blob[:id])
    end

    # The id of a record's file, or nil.
    def of(record_type, record_id)
      Standin::Database[:active_storage_attachments].first(name: "file", record_type: record_type, record_id: record_id)&.fetch(:blob_id)
    end

    def path(key) = "#{ROOT}/#{key[0, 2]}/#{key[2, 2]}/#{key}"

    # The public address, or nil where there is no file. Without LAGO_API_URL it can't be made: a TypeError.
    def url(blob_id)
      return if blob_id.nil?

      blob = Standin::Database[:active_storage_blobs].first(id: blob_id)
      File.join(ENV["LAGO_API_URL"], "rails/active_storage/blobs/redirect", sign(blob[:id], "blob_id"), blob[:filename])
    end

    # The path of the bytes, for five minutes.
    def disk_path(blob)
      data = {key: blob[:key], disposition: disposition(blob[:filename]), content_type: blob[:content_type], service_name: "local"}
      "/rails/active_storage/disk/#{sign(data, "blob_key", Time.now.utc + SECONDS)}/#{blob[:filename]}"
    end

    # What was signed, or nil for a bad or an old signature.
    def verified(text, purpose)
      data, digest = text.split("--", 2)
      return unless digest && OpenSSL.secure_compare(digest, hmac(data))

      message = JSON.parse(Base64.urlsafe_decode64(data))["_rails"]
      return unless message["pur"] == purpose && (message["exp"].nil? || Time.iso8601(message["exp"]) > Time.now)

      message["data"]
    end

    private

    def disposition(filename) = %(inline; filename="#{filename}"; filename*=UTF-8''#{filename})

    def sign(data, purpose, expires = nil)
      message = {data: data, exp: expires&.iso8601(3), pur: purpose}.compact
      encoded = Base64.urlsafe_encode64(JSON.generate(_rails: message))
      "#{encoded}--#{hmac(encoded)}"
    end

    def hmac(text)
      @secret ||= OpenSSL::KDF.pbkdf2_hmac(Rails.application.secret_key_base, salt: "ActiveStorage", iterations: 1000, length: 64, hash: "sha256")
      OpenSSL::HMAC.hexdigest("sha1", @secret, text)
    end
  end
end
