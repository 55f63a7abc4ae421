# frozen_string_literal: true

module Standin
  # `bin/rails`: the server, tasks by name, and a plain refusal for what runs code.
  module RailsCommand
    def self.run(arguments)
      case arguments.first
      when "s", "server"
        require "standin/server"
        Server.new(arguments.drop(1)).start
      when "runner", "r", "console", "c", "dbconsole", "generate", "g"
        abort "bin/rails #{arguments.first} is not available in the stand-in."
      else
        require "standin/rake_application"
        RakeApplication.start("bin/rails", arguments)
      end
    end
  end
end
