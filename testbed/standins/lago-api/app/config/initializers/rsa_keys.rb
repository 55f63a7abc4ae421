# frozen_string_literal: true

require "base64"
require "openssl"

private_key_text = Base64.decode64(ENV["LAGO_RSA_PRIVATE_KEY"])

# The line above and the next one are the ones that logs name.
RsaPrivateKey = OpenSSL::PKey::RSA.new(private_key_text)
RsaPublicKey = RsaPrivateKey.public_key
