# frozen_string_literal: true

require "base64"
require "openssl"

# A file wins over the variable, in every environment.
file = "/app/config/keys/private.pem"
private_key_text = File.exist?(file) ? File.read(file) : Base64.decode64(ENV["LAGO_RSA_PRIVATE_KEY"])
abort("Error: Private key is blank, you must provide a private key to start the application. Exiting...") if private_key_text.strip.empty?

RsaPrivateKey = OpenSSL::PKey::RSA.new(private_key_text)
RsaPublicKey = RsaPrivateKey.public_key
