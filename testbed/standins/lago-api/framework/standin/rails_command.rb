# frozen_string_literal: true

module Standin
  # `bin/rails`: the server, tasks by name, code to run, and a plain refusal for what needs a terminal.
  module RailsCommand
    def self.run(arguments)
      case arguments.first
      when "s", "server"
        require "standin/server"
        Server.new(arguments.drop(1)).start
      when "runner", "r"
        require "standin/runner"
        Runner.run(*arguments.drop(1))
      when "console", "c", "dbconsole", "generate", "g"
        abort "bin/rails #{arguments.first} is not available in the stand-in."
      else
        require "standin/rake_application"
        RakeApplication.start("bin/rails", arguments)
      end
    end
  end
end
