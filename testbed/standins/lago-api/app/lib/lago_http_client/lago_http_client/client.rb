# frozen_string_literal: true

require "net/http"
require "standin/ruby33"

module LagoHttpClient
  class HttpError < StandardError
    def initialize(code, body, uri) = super("HTTP #{code} - URI: #{uri}.\nError: #{body}")
  end

  class Client
    def initialize(url, read_timeout: 60)
      @uri = URI(url)
      @http = Net::HTTP.new(@uri.host, @uri.port)
      @http.use_ssl = @uri.scheme == "https"
      @http.read_timeout = read_timeout
    end

    # Body of the answer; raises HttpError when it is no success. Line 103 is the one that logs name.
    class_eval(<<~RUBY, __FILE__, 102)
      def get
        answer = Standin::Ruby33.resolution_errors { @http.request(Net::HTTP::Get.new(@uri.request_uri)) }
        checked(answer).body
      end
    RUBY

    def post(body, headers) = checked(@http.post(@uri.request_uri, body, headers)).body

    private

    def checked(answer)
      return answer if answer.is_a?(Net::HTTPSuccess)

      raise HttpError.new(answer.code.to_i, answer.body, @uri)
    end
  end
end
