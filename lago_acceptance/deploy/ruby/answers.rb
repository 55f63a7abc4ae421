# What the API answers about old customers, without anything of them: lines of kind, object, field and a digest of its value,
# separated by tabs. Input: a salt, a key, then the customers' external ids, a line each. Fields are JSON's names alone; what
# customers name themselves (properties, metadata) is one value. Objects are named by a digest of their id.
require "digest"
require "json"
require "net/http"

OPAQUE = %w[properties values metadata amount_details grouped_by].freeze
SALT, KEY, *CUSTOMERS = $stdin.read.split("\n")
HTTP = Net::HTTP.new("127.0.0.1", 3000)
HTTP.read_timeout = 60
HTTP.start

def digest(value) = Digest::SHA256.hexdigest("#{SALT}#{value}")[0, 24]
def escaped(text) = text.b.gsub(/[^A-Za-z0-9_~-]/n) { format("%%%02X", _1.ord) }

def sorted(value)
  case value
  when Hash then value.sort.map { |name, each| [name, sorted(each)] }
  when Array then value.map { sorted(_1) }
  else value
  end
end

def tell(kind, object, field, value) = puts([kind, object, field, value].join("\t"))

def own?(hash) = hash.keys.all? { _1.match?(/\A[a-z][a-z0-9_]*\z/) }

def identity(element, place)
  about = element["lago_id"] || element.dig("charge", "lago_id")
  about ? digest(about) : "at #{place}"
end

def flat(kind, object, value, field = nil)
  case value
  when Hash
    return tell(kind, object, field, digest(JSON.generate(sorted(value)))) if field && (OPAQUE.include?(field.split(".").last) || !own?(value))

    value.each { |name, each| flat(kind, object, each, [field, name].compact.join(".")) if name.match?(/\A[a-z][a-z0-9_]*\z/) }
  when Array
    return tell(kind, object, field, digest(JSON.generate(sorted(value)))) unless value.all?(Hash) && !OPAQUE.include?(field.split(".").last)

    tell(kind, object, field, "list")
    value.each_with_index { |each, place| flat("#{kind}.#{field}[]", "#{object}/#{identity(each, place)}", each) }
  else
    tell(kind, object, field, digest(JSON.generate(value)))
  end
end

def asked(path)
  answer = HTTP.get("/api/v1/#{path}", {"Authorization" => "Bearer #{KEY}"})
  [answer.code, answer.code == "200" ? JSON.parse(answer.body) : nil]
rescue JSON::ParserError
  ["no JSON", nil]
end

def object(kind, name, path, member = kind)
  status, body = asked(path)
  tell("GET #{kind}", digest(name), "status", status)
  found = body && body[member]
  flat(kind, digest(name), found) if found
  found
end

def listed(kind, path, member)
  status, body = asked(path)
  tell("GET #{member}", digest(path), "status", status)
  found = body ? body[member] || [] : []
  tell("GET #{member}", digest(path), "how_many", body.dig("meta", "total_count")) if body
  found.each { flat(kind, digest(_1["lago_id"].to_s), _1) }
end

plans, metrics = [], []
CUSTOMERS.each do |id|
  object("customer", id, "customers/#{escaped(id)}")
  query = "external_customer_id=#{escaped(id)}&per_page=20"
  listed("subscription", "subscriptions?#{query}", "subscriptions").each do |subscription|
    plans << subscription["plan_code"]
    name = subscription["external_id"].to_s
    used = object("usage", "#{id} #{name}", "customers/#{escaped(id)}/current_usage?external_subscription_id=#{escaped(name)}", "customer_usage")
    metrics.concat((used || {}).fetch("charges_usage", []).map { _1.dig("billable_metric", "code") })
  end
  listed("invoice", "invoices?#{query.sub("20", "5")}", "invoices").each do |invoice|
    object("invoice", invoice["lago_id"], "invoices/#{escaped(invoice["lago_id"])}")
  end
  listed("wallet", "wallets?#{query}", "wallets")
  listed("applied_coupon", "applied_coupons?#{query}", "applied_coupons")
end
plans.compact.uniq.each { object("plan", _1, "plans/#{escaped(_1)}") }
metrics.compact.uniq.each { object("billable_metric", _1, "billable_metrics/#{escaped(_1)}") }
