# frozen_string_literal: true

require "open3"
require "standin/active_record"

module ActiveRecord
  # Rails' own dumper of Debian's version, in a process without this application's classes of the same names.
  module SchemaDumper
    PROGRAM = <<~RUBY
      require "active_record"
      ActiveRecord::Base.establish_connection(ENV.fetch("DATABASE_URL"))
      ActiveRecord::SchemaDumper.dump
    RUBY

    def self.dump
      printed, said, status = Open3.capture3("ruby", "-e", PROGRAM)
      raise ActiveRecordError, said.lines.first.to_s unless status.success?

      $stdout.write(printed)
    end
  end

  class Base
    def self.connection_db_config = ENV.fetch("DATABASE_URL")
  end

  module Tasks
    module DatabaseTasks
      class << self
        attr_accessor :structure_dump_flags

        # As Rails: what pg_dump says goes to the log.
        def structure_dump(url, file)
          command = ["pg_dump", "--schema-only", "--no-privileges", "--no-owner", *structure_dump_flags, "--file", file, url]
          raise "failed to execute:\n#{command.first(4).join(" ")}" unless Kernel.system(*command)
        end
      end
      self.structure_dump_flags = %w[--clean --if-exists --no-comments --no-publications]
    end
  end
end
