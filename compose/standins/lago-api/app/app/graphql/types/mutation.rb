# frozen_string_literal: true

require "bcrypt"
require_relative "objects"

module Types
  class LoginUserInput < GraphQL::Schema::InputObject
    argument :email, String
    argument :password, String
  end

  class LoginPayload < Base
    column :token, null: false
    column :user, User, null: false
  end

  class Mutation < Base
    field :login_user, LoginPayload, null: true do
      argument :input, LoginUserInput
    end

    def login_user(input:)
      user = database[:users].first(email: input[:email])
      unless user && BCrypt::Password.new(user[:password_digest]) == input[:password]
        unprocessable(base: ["incorrect_login_or_password"])
      end

      identify(user)
      {token: Session.token(user[:id]), user: user}
    end

    private

    def identify(user)
      membership = database[:memberships].where(user_id: user[:id]).get(:id)
      SegmentIdentifyJob.perform_later("membership/#{membership || "unidentifiable"}")
    end
  end
end
