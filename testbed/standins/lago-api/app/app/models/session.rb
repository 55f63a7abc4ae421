# frozen_string_literal: true

require "jwt"

# Sessions of the web UI: a JWT that names the user, signed with secret_key_base.
module Session
  LIFETIME = 8640 # seconds: 2 h 24 min

  def self.token(user_id)
    JWT.encode({sub: user_id, exp: Time.now.to_i + LIFETIME}, Rails.application.secret_key_base, "HS256")
  end

  # Row of the token's user; nil when it is no token of ours. Raises JWT::ExpiredSignature.
  def self.user(token)
    return if token.nil?

    payload, = JWT.decode(token, Rails.application.secret_key_base, true, algorithm: "HS256")
    Standin::Database.pool[:users].first(id: payload["sub"])
  rescue JWT::ExpiredSignature
    raise
  rescue JWT::DecodeError
    nil
  end
end
