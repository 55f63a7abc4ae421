# frozen_string_literal: true

require "bcrypt"
require "standin/seed"
require_relative "objects"

module Types
  class LoginUserInput < GraphQL::Schema::InputObject
    argument :email, String
    argument :password, String
  end

  class RegisterUserInput < GraphQL::Schema::InputObject
    argument :email, String
    argument :password, String
    argument :organization_name, String
  end

  class CreateApiKeyInput < GraphQL::Schema::InputObject
    argument :name, String, required: false
  end

  class LoginPayload < Base
    column :token, null: false
    column :user, User, null: false
  end

  class RegisterPayload < LoginPayload
    column :organization, Organization, null: false
    column :membership, Membership, null: false
  end

  class Mutation < Base
    field(:login_user, LoginPayload) { argument :input, LoginUserInput }
    field(:register_user, RegisterPayload) { argument :input, RegisterUserInput }
    field(:create_api_key, ApiKeyObject) { argument :input, CreateApiKeyInput }

    def login_user(input:)
      user = database[:users].first(email: input[:email])
      unless user && BCrypt::Password.new(user[:password_digest]) == input[:password]
        unprocessable(base: ["incorrect_login_or_password"])
      end

      identify(database[:memberships].where(user_id: user[:id]).get(:id))
      {token: Session.token(user[:id]), user: user}
    end

    def register_user(input:)
      failed("Method Not Allowed", 405, "signup_disabled") if ENV["LAGO_DISABLE_SIGNUP"] == "true"
      unprocessable(email: ["user_already_exists"]) if database[:users].first(email: input[:email])
      # Without a password there is no user and no membership, whose id is read nevertheless.
      nil.id if input[:password].strip.empty?

      user = Standin::Seed.user(input[:email], input[:password])
      organization = Standin::Seed.create_organization(input[:organization_name], "per_organization")
      Standin::Seed.any_api_key(organization)
      membership = Standin::Seed.membership(user, organization)
      identify(membership[:id])
      {token: Session.token(user[:id]), user: user, organization: organization, membership: membership}
    end

    # A feature of the premium edition.
    def create_api_key(input:)
      failed("forbidden", 403, "feature_unavailable") unless Rails.application.premium

      database[:api_keys].returning.insert(organization_id: organization![:id], value: SecureRandom.uuid, name: input[:name]).first
    end

    private

    def identify(membership_id) = SegmentIdentifyJob.perform_later("membership/#{membership_id || "unidentifiable"}")
  end
end
