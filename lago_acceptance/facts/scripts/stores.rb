# Speaks to PostgreSQL, Redis and HTTP at Lago's URLs, from this container, as Lago does: Redis by TLS without looking at
# certificates, and at the master that sentinels name. No password is sent in plain text to PostgreSQL.
module Stores
  # Ruby's own parser takes longer to load than everything here takes.
  URL = %r{\A(?<scheme>\w+)://(?:(?<user>[^:@/]*)(?::(?<password>[^@]*))?@)?(?<host>[\w.-]+)(?::(?<port>\d+))?(?<path>[/][^?]*)?(?:\?(?<query>.*))?\z}
  # Bytes of one answer, and of one of Redis' texts.
  MOST, MOST_OF_TEXT = 65_536, 4_000_000
  class Unsupported < StandardError; end
  class Late < StandardError; end
  extend self

  # PostgreSQL's own identifier, which no other cluster has.
  def postgres(url, seconds)
    connected(url, 5432, seconds) do |socket|
      if url[:query].to_s.match?(/sslmode=(require|verify)/)
        socket.write([8, 80_877_103].pack("NN"))
        raise "it does not speak TLS" unless socket.read(1) == "S"
        socket = secured(socket, url[:host])
      end
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

  # Redis' own identifier of this run of it.
  def redis(url, seconds)
    at_redis(url, seconds) { |socket| ask(socket, "INFO", "server")[/^run_id:(\w+)/, 1] }
  end

  # Yields a connection to the Redis of Lago's jobs, logged in. Lago 1.43.0 and later may ask sentinels for its address.
  def at_redis(url, seconds)
    host = master(url, seconds) || url
    connected(host, 6379, seconds, tls: url[:scheme] == "rediss") do |socket|
      given = ENV["REDIS_PASSWORD"].to_s
      user, password = plain(url[:user]), given.empty? ? plain(url[:password]) : given
      ask(socket, "AUTH", *[user, password].reject(&:empty?)) unless password.empty?
      yield socket
    end
  end

  # The value of a block, which a name server that does not answer holds up no longer than this. Late otherwise.
  def in_time(seconds, host, &block)
    asking = Thread.new(&block)
    asking.report_on_exception = false
    asking.join(seconds) ? asking.value : raise(Late, "no answer within #{seconds} s from #{host}")
  end

  # The answer to a command: a text, a number, nil, or a list of these. An error of Redis' is raised.
  def ask(socket, *words)
    socket.write("*#{words.length}\r\n" + words.map { |word| "$#{word.bytesize}\r\n#{word}\r\n" }.join.b)
    answer(socket)
  end

  # The status of a service's /health.
  def http(url, seconds)
    connected(url, 80, seconds) do |socket|
      socket.write("GET #{url[:path].to_s.chomp("/")}/health HTTP/1.0\r\nHost: #{url[:host]}\r\n\r\n")
      (socket.gets("\n", MOST).to_s[/\AHTTP\S* (\d+)/, 1]) or raise "it does not speak HTTP"
    end
  end

  private

  def connected(url, port, seconds, tls: %w[rediss https].include?(url[:scheme]))
    socket = TCPSocket.new(url[:host], (url[:port] || port).to_i, connect_timeout: seconds)
    yield tls ? secured(socket, url[:host]) : socket
  ensure
    socket&.close
  end

  def secured(socket, host)
    # Its Ruby half reads lines; it is loaded only where it is needed.
    require "openssl"
    context = OpenSSL::SSL::SSLContext.new
    context.verify_mode = OpenSSL::SSL::VERIFY_NONE
    secured = OpenSSL::SSL::SSLSocket.new(socket, context)
    secured.hostname = host unless host.match?(/\A[\d.]+\z/)
    secured.connect
    secured
  end

  # The address that the first sentinel that answers gives for the master.
  def master(url, seconds)
    name = ENV["LAGO_REDIS_SIDEKIQ_MASTER_NAME"].to_s
    failed = nil
    ENV["LAGO_REDIS_SIDEKIQ_SENTINELS"].to_s.split(",").each do |each|
      host, port = each.split(":").map(&:strip)
      found = in_time(seconds, host) do
        connected({host: host, port: port}, 26_379, seconds, tls: url[:scheme] == "rediss") do |socket|
          ask(socket, "SENTINEL", "get-master-addr-by-name", name.empty? ? "master" : name)
        end
      end
      return {host: found[0], port: found[1]} if found
      failed = RuntimeError.new("the sentinel #{host} knows no master of the name #{name.empty? ? "master" : name}")
    rescue StandardError => error
      failed = error
    end
    raise failed if failed
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

  def answer(socket)
    head = socket.gets("\r\n", MOST) or raise EOFError, "the connection was closed"
    text = head[1..].strip
    case head[0]
    when "-" then raise text
    when ":" then text.to_i
    when "$"
      raise "its answer is too long" if text.to_i > MOST_OF_TEXT
      text.to_i < 0 ? nil : socket.read(text.to_i + 2).chomp
    when "*" then text.to_i < 0 ? nil : Array.new([text.to_i, MOST].min) { answer(socket) }
    else text
    end
  end
end
