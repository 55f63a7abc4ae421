# frozen_string_literal: true

require "bcrypt"
require "securerandom"
require "standin/active_record"

module Standin
  # Users, organizations and keys as seeding and sign-up make them.
  module Seed
    COST = 10 # of bcrypt; the real one's 12 costs a quarter of a second a login

    class << self
      def user(email, password)
        users.first(email: email) || insert(users, email: email, password_digest: digest(password))
      end

      def digest(password) = BCrypt::Password.create(password, cost: COST).to_s

      def organization(name)
        found = organizations.first(name: name) || create_organization(name, "per_customer")
        found.tap { |row| billing_entity(row) if Release.since?("v1.25.0") }
      end

      def create_organization(name, numbering)
        id = SecureRandom.uuid
        row = insert(organizations, id: id, name: name, document_numbering: numbering, hmac_key: SecureRandom.uuid,
          document_number_prefix: "#{name.gsub(/\s/, "")[0, 3].upcase}-#{id[-4..].upcase}")
        row.tap { billing_entity(row) if Release.since?("v1.25.0") }
      end

      def membership(user, organization)
        keys = {user_id: user[:id], organization_id: organization[:id]}
        memberships.first(keys) || insert(memberships, keys.merge(role: "admin"))
      end

      # A new key gets a random value and then the wanted one; a blank one fails, after the row was made.
      def api_key(organization, value)
        return if !value.to_s.empty? && api_keys.first(organization_id: organization[:id], value: value)

        row = insert(api_keys, organization_id: organization[:id], value: SecureRandom.uuid)
        raise ActiveRecord::RecordInvalid, "Validation failed: Value value_is_mandatory" if value.to_s.strip.empty?

        api_keys.where(id: row[:id]).update(value: value)
      end

      def any_api_key(organization)
        api_keys.first(organization_id: organization[:id]) ||
          insert(api_keys, organization_id: organization[:id], value: SecureRandom.uuid)
      end

      private

      # The first one of an organization has its id.
      def billing_entity(organization)
        id = organization[:id]
        Database.pool[:billing_entities].first(id: id) || insert(Database.pool[:billing_entities], id: id, organization_id: id,
          name: organization[:name], code: organization[:name].downcase.gsub(/[^a-z0-9_-]+/, "-"),
          document_number_prefix: organization[:document_number_prefix])
      end

      def insert(table, values) = table.returning.insert(values).first

      def users = Database.pool[:users]
      def organizations = Database.pool[:organizations]
      def memberships = Database.pool[:memberships]
      def api_keys = Database.pool[:api_keys]
    end
  end
end
