# frozen_string_literal: true

# Writes down what is to be sent to each endpoint.
class SendWebhookJob < Standin::Job
  queue_as "webhook"

  def perform(type, id)
    database = Standin::Database
    row, payload = Webhooks.payload(type, id)
    database[:webhook_endpoints].where(organization_id: Webhooks.organization_id(row)).order(:created_at).all.each do |endpoint|
      webhook = database.insert(:webhooks, webhook_endpoint_id: endpoint[:id], webhook_type: type, object_id: id,
        payload: JSON.generate(payload), endpoint: endpoint[:webhook_url])
      SendHttpWebhookJob.perform_later(Standin::Job::Record.new("Webhook", webhook[:id]))
    end
  end
end

# Sends it; what isn't taken is sent again later and later.
class SendHttpWebhookJob < Standin::Job
  queue_as "webhook"
  SUCCEEDED, FAILED = 1, 2

  def perform(id)
    webhook = Standin::Database[:webhooks].select_all.select_append(Sequel.cast(:payload, String).as(:body)).first(id: id)
    endpoint = Standin::Database[:webhook_endpoints].first(id: webhook[:webhook_endpoint_id])
    deliver(webhook, endpoint)
    Standin::Database.update(:webhooks, webhook, status: SUCCEEDED)
  rescue LagoHttpClient::HttpError, SocketError, SystemCallError, Timeout::Error, OpenSSL::SSL::SSLError, EOFError => error
    failed(webhook, error)
  end

  private

  def deliver(webhook, endpoint)
    LagoHttpClient::Client.new(endpoint[:webhook_url])
      .post(webhook[:body], Webhooks.headers(webhook, endpoint, webhook[:body]))
  end

  def failed(webhook, error)
    retries = webhook[:retries] + 1
    Standin::Database.update(:webhooks, webhook, status: FAILED, retries: retries, response: error.message, last_retried_at: Time.now.utc)
    return if retries >= ENV.fetch("LAGO_WEBHOOK_ATTEMPTS", 3).to_i

    self.class.perform_in(retries**4 + 15, Standin::Job::Record.new("Webhook", webhook[:id]))
  end
end
