# frozen_string_literal: true

require "cgi"
require "net/http/post/multipart"
require "standin/ruby33"

# An invoice's page, printed by the PDF service (Gotenberg).
module InvoicePdf
  class Refused < StandardError; end

  class << self
    # The PDF's bytes. Raises when LAGO_PDF_URL is absent, the service away, or its answer no success.
    def render(invoice)
      url = URI(File.join(ENV["LAGO_PDF_URL"], "forms/chromium/convert/html"))
      page = UploadIO.new(StringIO.new(html(invoice)), "text/html", "index.html")
      request = Net::HTTP::Post::Multipart.new(url.request_uri, "files" => page, "scale" => "1.28", "marginTop" => "0.42", "marginBottom" => "0.42",
        "marginLeft" => "0.42", "marginRight" => "0.42")
      answer = Net::HTTP.start(url.host, url.port, use_ssl: url.scheme == "https", read_timeout: 60) { |http| http.request(request) }
      raise Refused, "HTTP #{answer.code} from #{url}" unless answer.is_a?(Net::HTTPSuccess)

      answer.body
    end

    private

    def html(invoice)
      fees = Standin::Database[:fees].where(invoice_id: invoice[:id]).order(:created_at).map { |row| Fees.serialize(row) }
      lines = fees.map { |fee| "<tr><td>#{escape(fee[:item][:name])}</td><td>#{fee[:units]}</td><td>#{fee[:precise_amount]}</td></tr>" }
      total = Text.decimal(invoice[:total_amount_cents].to_d / Currency.units(invoice[:currency]))
      <<~HTML
        <!doctype html><html><head><meta charset="utf-8"><title>#{escape(invoice[:number])}</title></head><body>
        <h1>Invoice #{escape(invoice[:number])}</h1><p>Issue date #{invoice[:issuing_date].iso8601}</p>
        <table><tr><th>Item</th><th>Units</th><th>Amount</th></tr>#{lines.join}</table>
        <p>Total due #{total} #{invoice[:currency]}</p></body></html>
      HTML
    end

    def escape(text) = CGI.escapeHTML(text.to_s)
  end
end
