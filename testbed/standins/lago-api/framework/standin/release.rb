# frozen_string_literal: true

module Standin
  # Which release of Lago this image stands in for; what differs between them asks here.
  module Release
    class << self
      def tag = Rails.version_file || OLDEST

      # Whether this is the release of that tag or a later one.
      def since?(other) = number(tag) >= number(other)

      private

      def number(tag) = Gem::Version.new(tag.delete_prefix("v"))
    end

    OLDEST = "v1.16.0"
  end
end
