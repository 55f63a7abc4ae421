# frozen_string_literal: true

require "standin/runner/record"
require "standin/seed"

class Time
  def self.current = now.utc
end

class Organization < ActiveRecord::Base
  self.table = :organizations

  def api_keys = ApiKey.where(organization_id: id)
end

# A new key gets a value of its own, whatever is asked for. Expired keys are found by `unscoped` only.
class ApiKey < ActiveRecord::Base
  self.table = :api_keys

  def self.all
    super.where("api_keys.expires_at IS NULL OR api_keys.expires_at > ?", Time.current)
  end

  def organization = Organization.find_by(id: organization_id)

  def organization=(organization)
    self.organization_id = organization&.id
  end

  private

  def problem
    return "Organization must exist" if organization_id.nil?

    "Value value_is_mandatory" if persisted? && value.to_s.strip.empty?
  end

  def before_create
    self.value = SecureRandom.uuid
  end
end

class User < ActiveRecord::Base
  self.table = :users

  def password=(password)
    @password = password
    self.password_digest = password && Standin::Seed.digest(password)
  end

  def authenticate(password) = BCrypt::Password.new(password_digest) == password && self

  private

  def problem
    return "Password can't be blank" if password_digest.nil?

    "Password is too long" if @password.to_s.bytesize > 72
  end
end
