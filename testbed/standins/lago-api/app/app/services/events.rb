# frozen_string_literal: true

# Events are stored as they come: whether anybody knows their code or their subscription is seen later.
module Events
  class << self
    def of(organization) = db[:events].where(organization_id: organization[:id], deleted_at: nil)

    def create(organization, values)
      wrong = problems(organization, values)
      raise Standin::Refusal.invalid(**wrong) if wrong.any?

      row = store(organization, values)
      PostProcessJob.perform_later(Standin::Job::Record.new("Event", row[:id]))
      row
    end

    # All of them or none.
    def create_batch(organization, list)
      raise Standin::Refusal.invalid(events: ["no_events"]) if list.nil? || list.empty?
      raise Standin::Refusal.invalid(events: ["too_many_events"]) if list.size > ENV.fetch("LAGO_EVENTS_BATCH_MAX_LENGTH", 100).to_i

      # Compared with what is stored, not with each other: two that are alike are only found while they are stored.
      wrong = list.each_with_index.to_h { |values, index| [index, problems(organization, values)] }.reject { |_, found| found.empty? }
      raise Standin::Refusal.new(422, "Unprocessable Entity", code: "validation_errors", error_details: wrong) if wrong.any?

      now = Time.now.utc
      rows = db.transaction { list.map { |values| store(organization, values, now) } }
      rows.each { |row| PostProcessJob.perform_later(Standin::Job::Record.new("Event", row[:id])) }
    end

    def serialize(row)
      {
        lago_id: row[:id], transaction_id: row[:transaction_id], lago_customer_id: nil, code: row[:code],
        timestamp: row[:timestamp].utc.iso8601(3), precise_total_amount_cents: Text.decimal(row[:precise_total_amount_cents]),
        properties: row[:properties].to_h, lago_subscription_id: nil,
        external_subscription_id: row[:external_subscription_id], created_at: Text.time(row[:created_at])
      }
    end

    private

    def db = Standin::Database

    def store(organization, values, now = Time.now.utc)
      raise ActiveRecord::RecordInvalid, "Validation failed: Transaction value_already_exist" if stored?(organization, values)

      db.insert(:events, organization_id: organization[:id], transaction_id: values["transaction_id"], code: values["code"],
        external_subscription_id: values["external_subscription_id"], timestamp: timestamp(values["timestamp"], now),
        properties: Sequel.pg_jsonb_wrap(values["properties"] || {}),
        precise_total_amount_cents: values["precise_total_amount_cents"])
    end

    def problems(organization, values)
      missing = %w[transaction_id code].select { |name| values[name].to_s.empty? }
      return missing.to_h { |name| [name.to_sym, ["value_is_mandatory"]] } if missing.any?

      return {timestamp: ["invalid_format"]} if Standin::Release.since?("v1.25.0") && wrong_time?(values["timestamp"])

      stored?(organization, values) ? {transaction_id: ["value_already_exist"]} : {}
    end

    def stored?(organization, values)
      !!db[:events].first(organization_id: organization[:id], transaction_id: values["transaction_id"],
        external_subscription_id: values["external_subscription_id"])
    end

    def wrong_time?(value) = !value.to_s.empty? && Float(value.to_s, exception: false).nil?

    # Seconds as a number or in digits; anything else is taken for 0 and lands in 1970, where it isn't refused.
    def timestamp(value, now) = value.nil? ? now : Time.at(value.to_s.to_r).utc
  end
end
