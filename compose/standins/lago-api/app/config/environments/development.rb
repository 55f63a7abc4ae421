# frozen_string_literal: true

# Development wants gems that the image lacks; the first one to be missed is Dotenv, on line 71 of the real file.

Rails.application.configure do
  eval("Dotenv.load", binding, __FILE__, 71)
end
