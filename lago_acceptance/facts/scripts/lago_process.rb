# The key that Lago's own process loads and what its API answers, as one JSON object. Keys and tokens stay in here.
require "json"
require "digest"
# Only the compiled half: the Ruby half is not needed here and takes five times as long to load as everything else.
begin
  require "openssl.so"
rescue LoadError
  require "openssl"
end

name = "LAGO_RSA_PRIVATE_KEY"
# Bytes: names of organizations need not be ASCII.
given = File.binread("/proc/self/environ").split("\0").map { |entry| entry.split("=", 2) }.to_h[name]
first = Dir["/proc/[0-9]*/environ"].sort_by { |path| path[/\d+/].to_i }.filter_map do |path|
  next if path[/\d+/].to_i == Process.pid
  File.binread(path).split("\0").map { |entry| entry.split("=", 2) }.to_h[name] rescue nil
end.find { |held| held != given }
# A file that RUBYOPT requires sets the variable in this process as in Lago's; a shell wrapper sets it only for the process
# that it starts.
value = ENV[name] == given ? (first || given) : ENV[name]
# From v1.23.0 on this file wins; older versions never read it.
file = "/app/config/keys/private.pem"
native = File.exist?(file) && File.read("/app/config/initializers/rsa_keys.rb").match?(/config\W+keys/) rescue false
said = ->(error) { "#{error.class}: #{error.message.lines.first.to_s.strip}"[0, 200] }
facts = {exec: native || ENV[name].to_s != "", key: {}, answers: {}}
begin
  key = OpenSSL::PKey::RSA.new(native ? File.read(file) : value.unpack1("m"))
  facts[:key] = {public: Digest::SHA256.hexdigest(key.public_to_der), bits: key.n.num_bits, private: key.private?}
  if key.private?
    text = "lago"
    facts[:key][:consistent] = (key.verify("SHA256", key.sign("SHA256", text), text) rescue false)
  end
rescue => error
  facts[:key] = {error: said.(error), present: !value.nil?}
end

# What process 1 does something about; a shell without a trap is not among those that TERM ends there.
masks = File.read("/proc/1/status").scan(/^Sig(?:Blk|Cgt):\t(\h+)/).flatten.map(&:hex) rescue []
facts[:signals] = Signal.list.filter_map { |sign, number| sign if number > 0 && masks.any? { |mask| mask[number - 1] == 1 } } unless masks.empty?

# Rails writes there where RAILS_LOG_TO_STDOUT is not "true".
facts[:log_bytes] = Dir["/app/log/*"].sum { |path| File.file?(path) ? File.size(path) : 0 } rescue nil

# The addresses of the hosts that Lago connects to. A name server that doesn't answer holds nothing up.
begin
  require "socket.so"
rescue LoadError
  require "socket"
end
hosts = ENV.values_at("DATABASE_URL", "REDIS_URL", "LAGO_REDIS_CACHE_URL", "LAGO_PDF_URL").filter_map { |url| url.to_s[%r{\A[a-z]\w*://(?:[^/]*@)?([^:/?#]+)}i, 1] }
facts[:addresses] = {}
hosts.uniq.map do |host|
  Thread.new { facts[:addresses][host] = Addrinfo.getaddrinfo(host, nil, nil, :STREAM).map(&:ip_address).uniq rescue nil }
end.each { |thread| thread.join(3) }

# stores

facts[:reached] = {}
# What takes too long keeps its first entry.
asked_stores = {"DATABASE_URL" => :postgres, "REDIS_URL" => :redis}
asked_stores["LAGO_PDF_URL"] = :http if ARGV[0] == "worker"
store_seconds = 3 * [ARGV[2].to_i, 1].max
asked_stores.reject { |name, _| ENV[name].to_s.empty? }.map do |name, how|
  facts[:reached][name] = {error: "no answer within #{store_seconds} s"}
  Thread.new do
    url = Stores::URL.match(ENV[name]) or raise Stores::Unsupported, "its URL names no host, or can't be read here"
    facts[:reached][name] = {answer: Stores.public_send(how, url, store_seconds).to_s}
  rescue Stores::Unsupported => error
    facts[:reached][name] = {unseen: error.message}
  rescue Errno::ETIMEDOUT
    next
  rescue SystemCallError, SocketError, EOFError => error
    facts[:reached][name] = {error: said.(error)}
  rescue => error
    facts[:reached][name] = {refused: said.(error)}
  end
end.each { |thread| thread.join(store_seconds) }

if ARGV[0] == "api"
  require "net/http"
  # From 1.19.1 on seeding needs only the second.
  token = ENV.values_at("LAGO_API_KEY", "LAGO_ORG_API_KEY").find { |key| !key.to_s.empty? }.to_s
  paths = {health: "/health"}
  unless token.empty?
    paths[:organization] = "/api/v1/organizations"
    paths[:public_key] = "/api/v1/webhooks/public_key"
    paths[:grpc_token] = "/api/v1/organizations/grpc_token"
    if ARGV[1] == "inside"
      paths[:plans] = "/api/v1/plans?per_page=500"
      paths[:metrics] = "/api/v1/billable_metrics?per_page=500"
    end
  end
  # In parallel, because Lago may be slow: [status, body, type], or [0, why there is no answer].
  patience = [ARGV[2].to_i, 1].max
  asked = paths.transform_values do |path|
    Thread.new do
      question = Net::HTTP::Get.new(path)
      question["Authorization"] = "Bearer #{token}" unless token.empty?
      answer = Net::HTTP.start("127.0.0.1", (ENV["PORT"] || 3000).to_i, nil, open_timeout: 2 * patience, read_timeout: 4 * patience, max_retries: 0) { |http| http.request(question) }
      [answer.code.to_i, answer.body.to_s.force_encoding("UTF-8").scrub, answer["Content-Type"].to_s]
    rescue Net::OpenTimeout, Net::ReadTimeout
      [0, "no answer within #{4 * patience} s"]
    rescue => error
      [0, said.(error)]
    end
  end
  answers = asked.transform_values(&:value)
  answered = answers.select { |_, answer| answer[0] > 0 }
  facts[:answers] = answered.to_h { |name, answer| [paths[name], {status: answer[0], type: answer[2]}] }
  facts[:health] = answered[:health][1][0, 600] if answered[:health]
  silent = answers.except(:plans, :metrics, *answered.keys)
  facts[:error] = silent.values.first[1] unless silent.empty?
  if answered[:public_key]
    begin
      public_half = OpenSSL::PKey::RSA.new(answered[:public_key][1].unpack1("m"))
      facts[:served] = Digest::SHA256.hexdigest(public_half.public_to_der)
      signed = JSON.parse(answers[:grpc_token][1]).dig("organization", "grpc_token").to_s
      text, dot, signature = signed.rpartition(".")
      facts[:token_verifies] = public_half.verify("SHA256", signature.tr("-_", "+/").unpack1("m"), text) && dot == "."
    rescue => error
      facts[:served_error] = said.(error)
    end
  end
  facts[:with_key] = !token.empty?
  facts[:inside] = ARGV[1] == "inside" ? answers.slice(:health, :organization, :plans, :metrics).transform_values { |answer| answer[0, 2] } : {}
  migrations = Dir["/app/db/migrate/*.rb"].map { |path| File.basename(path)[/\A\d+/] }
  facts[:migrations] = migrations.compact.minmax.compact
  facts[:migration_count] = migrations.length
  facts[:migration_files] = Dir["/app/db/migrate/*.rb"].map { |path| File.basename(path, ".rb") }.sort if ARGV[3] == "upgrade"
  # schema_file.rb
end
puts JSON.generate(facts)
$stdout.flush
# Without waiting for look-ups.
exit!(0)
