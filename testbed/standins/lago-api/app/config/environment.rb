# frozen_string_literal: true

# Everything starts here: server, tasks, worker and clock.
require "standin/rails"

# A failing initializer shows up as coming from the next line.
Rails.application.initialize!
