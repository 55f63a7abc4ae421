# Which PostgreSQL and which Redis answer at Lago's URLs, from this container: their own identifiers, which no other server
# has. No password is sent in plain text to PostgreSQL; Redis gets it as it does from Lago itself.
module Stores
  # Ruby's own parser takes longer to load than everything here takes.
  URL = %r{\A(?<scheme>\w+)://(?:(?<user>[^:@/]*)(?::(?<password>[^@]*))?@)?(?<host>[\w.-]+)(?::(?<port>\d+))?(?<path>[/][^?]*)?(?:\?(?<query>.*))?\z}
  # Bytes of one answer.
  MOST = 65_536
  class Unsupported < StandardError; end
  extend self

  def postgres(url, seconds)
    connected(url, 5432, seconds) do |socket|
      user, password = plain(url[:user]), plain(url[:password])
      started = "\0\3\0\0user\0#{user}\0database\0#{plain(url[:path]).delete_prefix("/")}\0\0".b
      socket.write([started.bytesize + 4].pack("N") + started)
      authenticate(socket, user, password)
      nil until message(socket)[0] == "Z"
      put(socket, "Q", "SELECT system_identifier FROM pg_control_system()\0")
      row = nil
      while (kind, body = message(socket))[0] != "Z"
        row = body[6..] if kind == "D"
      end
      row
    end
  end

  def redis(url, seconds)
    connected(url, 6379, seconds) do |socket|
      user, password = plain(url[:user]), plain(url[:password] || ENV["REDIS_PASSWORD"])
      ask(socket, "AUTH", *[user, password].reject(&:empty?)) unless password.empty?
      ask(socket, "INFO", "server")[/^run_id:(\w+)/, 1]
    end
  end

  # The status of a service's /health.
  def http(url, seconds)
    connected(url, 80, seconds) do |socket|
      socket.write("GET #{url[:path].to_s.chomp("/")}/health HTTP/1.0\r\nHost: #{url[:host]}\r\n\r\n")
      (socket.gets("\n", MOST).to_s[/\AHTTP\S* (\d+)/, 1]) or raise "it does not speak HTTP"
    end
  end

  private

  def connected(url, port, seconds)
    tls = %w[rediss https].include?(url[:scheme]) || url[:query].to_s.match?(/sslmode=(require|verify)/)
    raise Unsupported, "it is reached by TLS" if tls
    socket = TCPSocket.new(url[:host], url[:port] || port, connect_timeout: seconds)
    yield socket
  end

  def plain(text) = text.to_s.gsub(/%(\h\h)/) { $1.hex.chr }.force_encoding("UTF-8")

  def message(socket)
    kind = socket.read(1) or raise EOFError, "the connection was closed"
    length = socket.read(4).unpack1("N") - 4
    raise "it does not speak PostgreSQL's protocol" if length > MOST
    body = socket.read(length)
    raise body.split("\0").find { |field| field.start_with?("M") }.to_s[1..].to_s if kind == "E"
    [kind, body]
  end

  def put(socket, kind, body) = socket.write(kind + [body.bytesize + 4].pack("N") + body)

  # MD5 and SCRAM-SHA-256 (RFC 5802, RFC 7677).
  def authenticate(socket, user, password)
    _, body = message(socket)
    case body.unpack1("N")
    when 0 then return
    when 5
      inner = Digest::MD5.hexdigest(password.to_s + user)
      put(socket, "p", "md5#{Digest::MD5.hexdigest(inner + body[4, 4])}\0")
    when 10 then scram(socket, password.to_s)
    else raise Unsupported, "it asks for a password in a way that is not tried here"
    end
    nil until message(socket)[1].unpack1("N").zero?
  end

  def scram(socket, password)
    first = "n=,r=#{[OpenSSL::Random.random_bytes(18)].pack("m0")}"
    put(socket, "p", "SCRAM-SHA-256\0" + [first.bytesize + 3].pack("N") + "n,,#{first}")
    challenge = message(socket)[1][4..]
    salt, nonce, rounds = challenge[/s=([^,]+)/, 1].unpack1("m"), challenge[/r=([^,]+)/, 1], challenge[/i=(\d+)/, 1].to_i
    raise Unsupported, "it asks for too many rounds" if rounds > 100_000
    salted = OpenSSL::KDF.pbkdf2_hmac(password, salt: salt, iterations: rounds, length: 32, hash: "SHA256")
    key = hmac(salted, "Client Key")
    last = "c=biws,r=#{nonce}"
    signature = hmac(Digest::SHA256.digest(key), [first, challenge, last].join(","))
    proof = key.bytes.zip(signature.bytes).map { |one, other| one ^ other }.pack("C*")
    put(socket, "p", "#{last},p=#{[proof].pack("m0")}")
  end

  # OpenSSL's compiled half has no shorter way.
  def hmac(key, text) = OpenSSL::HMAC.new(key, "SHA256").update(text).digest

  def ask(socket, *words)
    socket.write("*#{words.length}\r\n" + words.map { |word| "$#{word.bytesize}\r\n#{word}\r\n" }.join)
    head = socket.gets("\r\n", MOST) or raise EOFError, "the connection was closed"
    raise head[1..].strip if head.start_with?("-")
    head.start_with?("$") ? socket.read([head[1..].to_i, MOST].min) : head
  end
end

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
