# frozen_string_literal: true

Rails.application.configure do
  log_to_stdout = ENV["RAILS_LOG_TO_STDOUT"] == "true"
  FileUtils.mkdir_p("/app/log") unless log_to_stdout
  config.logger = Logger.new(log_to_stdout ? $stdout : "/app/log/#{Rails.env}.log")
  config.logger.level = ENV.fetch("LAGO_LOG_LEVEL", "info")
end
