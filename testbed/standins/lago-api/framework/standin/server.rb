# frozen_string_literal: true

require "fileutils"
require "optparse"

module Standin
  # `rails server`: says what it boots, loads config.ru, and hands over to puma.
  class Server
    def initialize(arguments)
      @host = "0.0.0.0"
      @port = ENV.fetch("PORT", "3000").to_i
      OptionParser.new do |options|
        options.on("-b", "--binding HOST") { |value| @host = value }
        options.on("-p", "--port PORT", Integer) { |value| @port = value }
      end.parse!(arguments)
      @pid_file = ENV.fetch("PIDFILE", "tmp/pids/server.pid")
    end

    def start
      $stdout.sync = true
      check_pid_file
      environment = [ENV["RAILS_ENV"], ENV["RACK_ENV"]].find { |name| !name.to_s.empty? } || "development"
      puts "=> Booting Puma"
      puts "=> Rails 7.1.3.4 application starting in #{environment} "
      puts "=> Run `bin/rails server --help` for more startup options"
      serve(environment)
    ensure
      puts "Exiting" unless @refused
    end

    private

    def check_pid_file
      pid = File.exist?(@pid_file) ? File.read(@pid_file).to_i : 0
      return if pid.zero? || pid == Process.pid || !File.exist?("/proc/#{pid}")

      @refused = true
      abort "A server is already running (pid: #{pid}, file: #{File.expand_path(@pid_file)})."
    end

    def serve(environment)
      require "rack"
      require "puma"
      require "puma/launcher"
      app, = Rack::Builder.parse_file("config.ru")
      app.load_endpoint
      FileUtils.mkdir_p(File.dirname(@pid_file))
      configuration = Puma::Configuration.new do |puma|
        puma.app app
        puma.bind "tcp://#{@host.include?(":") ? "[#{@host}]" : @host}:#{@port}"
        puma.environment environment
        puma.threads ENV.fetch("RAILS_MIN_THREADS", 0), ENV.fetch("RAILS_MAX_THREADS", 5)
        puma.pidfile @pid_file
      end
      Puma::Launcher.new(configuration, events: Puma::Events.stdio).run
    end
  end
end
