# frozen_string_literal: true

require "rake"

module Standin
  # Rake itself; only the form of an error is Ruby 3.3's and ActiveRecord's.
  class RakeApplication < Rake::Application
    def self.start(program, arguments)
      $stdout.sync = true
      application = new
      Rake.application = application
      application.run_as(program, arguments)
    end

    def run_as(program, arguments)
      standard_exception_handling do
        init(program, arguments)
        @name = program
        Rake.load_rakefile("/app/Rakefile")
        top_level
      end
    end

    def display_exception_message_details(error)
      return trace(error.message) if error.instance_of?(RuntimeError)

      first, *rest = error.message.lines(chomp: true)
      trace ["#{error.class}: #{first} (#{error.class})", *rest].join("\n")
    end

    def display_exception_backtrace(error)
      error.set_backtrace(error.backtrace.grep_v(%r{\Abin/})) if error.backtrace
      super
    end

    def display_exception_details(error)
      error = ActiveRecord.translated(error) if defined?(ActiveRecord)
      super
    end
  end
end
