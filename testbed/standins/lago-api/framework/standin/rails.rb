# frozen_string_literal: true

require "fileutils"
require "logger"
require "standin/release"
require "standin/ruby33"

# What the application needs of Rails: an environment, initializers in alphabetical order, a middleware
# stack that is built at boot in every process, and the check of secret_key_base last of all.
module Rails
  VERSION = "7.1.3.4"
  ROOT = "/app"

  class << self
    attr_writer :env

    def env = @env || [ENV["RAILS_ENV"], ENV["RACK_ENV"]].find { |name| !name.to_s.empty? } || "development"
    def application = @application ||= Application.new
    def logger = application.config.logger

    def version_file = File.exist?("#{ROOT}/LAGO_VERSION") ? File.read("#{ROOT}/LAGO_VERSION").strip : nil
  end

  Configuration = Struct.new(:logger)

  class Application
    attr_reader :config
    attr_accessor :premium

    def initialize
      @config = Configuration.new(Logger.new($stdout))
      @middlewares = []
    end

    def configure(&block) = instance_eval(&block)
    def middleware(klass, &block) = @middlewares << [klass, block]

    def initialize!
      return self if @initialized

      environment = "#{ROOT}/config/environments/#{Rails.env}.rb"
      load(environment) if File.exist?(environment)
      Dir["#{ROOT}/config/initializers/*.rb"].sort.each { |file| load(file) }
      build_middleware_stack
      validate_secret_key_base(ENV["SECRET_KEY_BASE"])
      @initialized = true
      self
    end

    # Rack's entry point.
    def call(env) = @stack.call(env)

    # Only the server needs the routes, and before it listens.
    def load_endpoint
      require "standin/web/stack"
      @endpoint = Standin::Web.stack
    end

    def secret_key_base = ENV.fetch("SECRET_KEY_BASE")

    private

    def build_middleware_stack
      endpoint = ->(env) { @endpoint.call(env) }
      @stack = @middlewares.reverse.inject(endpoint) { |app, (klass, block)| klass.new(app, &block) }
    end

    def validate_secret_key_base(value)
      if value.nil?
        raise ArgumentError, "Missing `secret_key_base` for '#{Rails.env}' environment, set this string with `bin/rails credentials:edit`"
      elsif value.empty?
        raise ArgumentError, "`secret_key_base` for #{Rails.env} environment must be a type of String`"
      end
    end
  end
end
