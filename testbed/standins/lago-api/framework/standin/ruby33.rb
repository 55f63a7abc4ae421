# frozen_string_literal: true

require "socket"

# The wording and the classes that Ruby 3.3 has and Debian's 3.1 hasn't, where logs show them.
class Socket
  class ResolutionError < SocketError; end
end

module Standin
  module Ruby33
    module NilReceiver
      def to_s = super.gsub("for nil:NilClass", "for nil")
      def message = to_s
    end
    NoMethodError.prepend(NilReceiver)

    # An error of several lines is inspected on one.
    module InspectedOnOneLine
      def inspect = message.include?("\n") ? "#<#{self.class}:#{message.inspect}>" : super
    end
    StandardError.prepend(InspectedOnOneLine)

    # Runs the block; a failed name lookup leaves it as Socket::ResolutionError, also as the cause.
    def self.resolution_errors
      yield
    rescue SocketError => error
      cause = error.cause.is_a?(SocketError) ? converted(error.cause, nil) : error.cause
      raise converted(error, cause)
    end

    def self.converted(error, cause)
      raise Socket::ResolutionError, error.message, error.backtrace, cause: cause
    rescue Socket::ResolutionError => converted
      converted
    end
    private_class_method :converted
  end
end
