# frozen_string_literal: true

require "/app/config/environment"
require "standin/active_job"
require "standin/runner/models"
require "standin/runner/dumpers"

module Standin
  # `bin/rails runner`: runs Ruby code from its argument, from a file, or from standard input (`-`).
  module Runner
    def self.run(code = nil, *arguments)
      abort "Please specify a valid ruby command or the path of a script to run." if code.nil?

      ARGV.replace(arguments)
      return eval($stdin.read, TOPLEVEL_BINDING, "stdin") if code == "-"
      return load(File.expand_path(code)) if File.exist?(code)

      begin
        eval(code, TOPLEVEL_BINDING, "bin/rails runner")
      rescue SyntaxError, NameError => error
        abort <<~TEXT
          Please specify a valid ruby command or the path of a script to run.
          Run 'bin/rails runner -h' for help.

          #{error.message}
        TEXT
      end
    end
  end
end
