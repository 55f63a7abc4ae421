# What Lago's own process would load and answer, as one JSON object. Keys and tokens stay in here.
require "json"
require "openssl"
require "digest"

name = "LAGO_RSA_PRIVATE_KEY"
# Bytes: names of organizations need not be ASCII.
given = File.binread("/proc/self/environ").split("\0").map { |entry| entry.split("=", 2) }.to_h[name]
first = Dir["/proc/[0-9]*/environ"].sort_by { |path| path[/\d+/].to_i }.filter_map do |path|
  next if path[/\d+/].to_i == Process.pid
  File.binread(path).split("\0").map { |entry| entry.split("=", 2) }.to_h[name] rescue nil
end.find { |held| held != given }
# A file that RUBYOPT requires sets it in this process as in Lago's; a shell wrapper sets it for what it starts alone.
value = ENV[name] == given ? (first || given) : ENV[name]
# From v1.23.0 on a file of this place wins; older ones never look there.
file = "/app/config/keys/private.pem"
native = File.exist?(file) && File.read("/app/config/initializers/rsa_keys.rb").match?(/config\W+keys/) rescue false
facts = {exec: native || ENV[name].to_s != "", key: {}, answers: {}}
begin
  key = OpenSSL::PKey::RSA.new(native ? File.read(file) : value.unpack1("m"))
  facts[:key] = {public: Digest::SHA256.hexdigest(key.public_key.to_der), bits: key.n.num_bits, private: key.private?}
  if key.private?
    text = "lago"
    facts[:key][:consistent] = (key.verify("SHA256", key.sign("SHA256", text), text) rescue false)
  end
rescue => error
  facts[:key] = {error: "#{error.class}: #{error.message.lines.first.to_s.strip}"[0, 200], present: !value.nil?}
end

if ARGV[0] == "api"
  require "net/http"
  # From 1.19.1 on seeding needs the second alone.
  token = ENV.values_at("LAGO_API_KEY", "LAGO_ORG_API_KEY").find { |key| !key.to_s.empty? }.to_s
  port = (ENV["PORT"] || 3000).to_i
  connected = ->(&work) { Net::HTTP.start("127.0.0.1", port, nil, open_timeout: 2, read_timeout: 4, &work) }
  request = lambda do |http, path|
    asked = Net::HTTP::Get.new(path)
    asked["Authorization"] = "Bearer #{token}" unless token.empty?
    http.request(asked)
  end
  # What Lago answers for itself: [status, body], or [0, why there is none]. Side by side, for Lago may be slow.
  wanted = {health: "/health"}
  unless token.empty?
    wanted[:organization] = "/api/v1/organizations"
    wanted[:plans] = "/api/v1/plans?per_page=500"
    wanted[:metrics] = "/api/v1/billable_metrics?per_page=500"
  end
  wanted = {} unless ARGV[1] == "inside"
  inside = wanted.transform_values do |path|
    Thread.new do
      answer = connected.() { |http| request.(http, path) }
      [answer.code.to_i, answer.body.to_s.force_encoding("UTF-8").scrub]
    rescue => error
      [0, "#{error.class}: #{error.message}"[0, 200]]
    end
  end
  connected.() do |http|
    ask = lambda do |path|
      answer = request.(http, path)
      facts[:answers][path] = {status: answer.code.to_i, type: answer["Content-Type"].to_s}
      answer.body
    end
    facts[:health] = ask.("/health").to_s.force_encoding("UTF-8").scrub[0, 600]
    unless token.empty?
      ask.("/api/v1/organizations")
      served = ask.("/api/v1/webhooks/public_key").to_s.unpack1("m")
      begin
        public_half = OpenSSL::PKey::RSA.new(served)
        facts[:served] = Digest::SHA256.hexdigest(public_half.to_der)
        signed = JSON.parse(ask.("/api/v1/organizations/grpc_token")).dig("organization", "grpc_token").to_s
        text, dot, signature = signed.rpartition(".")
        signature = signature.tr("-_", "+/").unpack1("m")
        facts[:token_verifies] = public_half.verify("SHA256", signature, text) && dot == "."
      rescue => error
        facts[:served_error] = "#{error.class}: #{error.message.lines.first.to_s.strip}"[0, 200]
      end
    end
  end rescue facts[:error] = "#{$!.class}: #{$!.message}"[0, 200]
  facts[:with_key] = !token.empty?
  facts[:inside] = inside.transform_values(&:value)
  migrations = Dir["/app/db/migrate/*.rb"].map { |path| File.basename(path)[/\A\d+/] }
  facts[:migrations] = migrations.compact.minmax.compact
  facts[:migration_count] = migrations.length
end
puts JSON.generate(facts)
