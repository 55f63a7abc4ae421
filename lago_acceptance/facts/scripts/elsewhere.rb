# Asks PostgreSQL or Redis at Lago's own URL from inside a container of Lago's: stores that no container of the deployment is.
# ARGV: "database" or "redis", patience, and for Redis parts of the names of jobs. Standard input: SQL for psql, or a script of
# Lua. Prints what psql or redis-cli would print in the store's own container; the URL stays in here.
require "openssl"
require "socket"
require "strscan"

# stores

# As much of psql as the suite's own SQL needs: \set, \gset, \if, \else, \endif, \; and variables. A statement that fails in a
# transaction leaves the others alone.
class Psql
  def initialize(connection)
    @connection, @variables, @branches = connection, {}, []
  end

  def run(text)
    scanner, @statement = StringScanner.new(text), +""
    step(scanner) until scanner.eos?
    query
  end

  private

  def step(scanner)
    if scanner.scan(/\\;/) then @statement << ";"
    elsif scanner.scan(/\\gset[^\n]*/) then query(keep: true)
    elsif scanner.scan(/\\(\w+)[ \t]*([^\n]*)/) then command(scanner[1], scanner[2].split(" ", 2))
    elsif scanner.scan(/;/) then query
    elsif scanner.scan(/--[^\n]*/) then nil
    elsif scanner.scan(/[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"[^"]*"|::/m) then @statement << scanner.matched
    elsif scanner.scan(/(\$\w*\$).*?\1/m) then @statement << scanner.matched
    elsif scanner.scan(/:'(\w+)'/) then fill(scanner) { |value| @connection.escape_literal(value) }
    elsif scanner.scan(/:(\w+)/) then fill(scanner, &:itself)
    else @statement << scanner.scan(/(?:(?![eE]')[A-Za-z0-9_\s])+|./m)
    end
  end

  def fill(scanner)
    value = @variables[scanner[1]]
    @statement << (value ? yield(value) : scanner.matched)
  end

  def command(name, words)
    case name
    when "set" then @variables[words[0]] = words[1].to_s.delete("'")
    when "if" then @branches << %w[true on 1 t yes].include?(words[0].to_s.sub(/\A:(\w+)\z/) { @variables[$1].to_s })
    when "else" then @branches << !@branches.pop
    when "endif" then @branches.pop
    end
  end

  def query(keep: false)
    statement, @statement = @statement.strip, +""
    return if statement.empty? || !@branches.all?
    results(statement).each do |result|
      failed = result.result_status == PG::PGRES_FATAL_ERROR
      @variables["ERROR"] = failed.to_s
      if failed
        @variables["LAST_ERROR_MESSAGE"] = result.error_field(PG::PG_DIAG_MESSAGE_PRIMARY).to_s
        puts result.error_message.lines.first
        restore
      elsif keep
        result.each { |row| row.each { |name, value| value ? @variables[name] = value : @variables.delete(name) } }
      else
        result.each_row { |row| puts row.join("|") }
      end
    end
  end

  # With a savepoint in the same message: a server that is far away is asked once a statement.
  def results(statement)
    guarded = @connection.transaction_status == PG::PQTRANS_INTRANS && !statement.match?(/\A(ROLLBACK|COMMIT)\b/i)
    @connection.send_query(guarded ? "SAVEPOINT lago_acceptance; #{statement}" : statement)
    found = []
    while (result = @connection.get_result)
      found << result
    end
    guarded && found.length > 1 ? found.drop(1) : found
  end

  def restore
    return unless @connection.transaction_status == PG::PQTRANS_INERROR
    @connection.exec("ROLLBACK TO SAVEPOINT lago_acceptance")
  end
end

def ask_database(text, seconds)
  begin
    require "pg"
  rescue LoadError
    require "bundler/setup"
    require "pg"
  end
  # Rails knows parameters that libpq refuses.
  known = PG::Connection.conndefaults.map { |each| each[:keyword] }
  url = Stores::URL.match(ENV["DATABASE_URL"].to_s)
  Stores.in_time(seconds, url[:host]) { Addrinfo.getaddrinfo(url[:host], nil) } if url
  place, query = ENV["DATABASE_URL"].to_s.split("?", 2)
  given = query.to_s.split("&").select { |each| known.include?(each[/\A[^=]*/]) }
  given << "connect_timeout=#{seconds}" unless query.to_s.include?("connect_timeout=")
  connection = PG.connect("#{place.sub(/\Apostgis:/, "postgres:")}?#{given.join("&")}")
  connection.set_notice_processor { |_| }
  Psql.new(connection).run(text)
rescue SocketError => error
  puts "could not translate the host name of DATABASE_URL to an address: #{error.message}"
rescue PG::Error => error
  puts error.message.lines.map(&:strip).reject(&:empty?).first(3).join(" ")
end

# The names of the answers are those of redis_answers.py.
QUESTIONS = {
  "info" => ["INFO"], "clients" => ["CLIENT LIST"],
  "settings" => %w[save appendonly stop-writes-on-bgsave-error protected-mode].map { |name| "CONFIG GET #{name}" },
  "write" => ["ZADD schedule XX 1 lago-acceptance:nothing"],
  "script" => ["EVALSHA #{"0" * 40} 0"]
}

def ask_redis(script, jobs, seconds)
  given = ENV["REDIS_URL"].to_s
  given = "redis://localhost:6379" if given.empty?
  url = Stores::URL.match(given) or return puts("REDIS_URL can't be read here")
  Stores.in_time(seconds, url[:host]) { Addrinfo.getaddrinfo(url[:host], nil) } if ENV["LAGO_REDIS_SIDEKIQ_SENTINELS"].to_s.empty?
  Stores.at_redis(url, seconds) do |socket|
    say = lambda do |*words|
      puts [Stores.ask(socket, *words)].flatten.map { |each| each.to_s[0, 400_000] }
    rescue RuntimeError => error
      puts error.message
    end
    QUESTIONS.each do |name, commands|
      puts "\n@reply #{name}"
      commands.each { |command| say.(*command.split) }
    end
    puts "\n@reply sidekiq"
    number = url[:path].to_s[/\d+/] || "0"
    begin
      puts Stores.ask(socket, "EVAL_RO", script, "0", number, jobs.to_s)
    rescue RuntimeError => error
      error.message.match?(/unknown command/i) ? say.("EVAL", script, "0", number, jobs.to_s) : puts(error.message)
    end
  end
rescue SystemCallError, SocketError, IOError, OpenSSL::SSL::SSLError => error
  puts "Could not connect to Redis: #{error.message.lines.first.to_s.strip}"
rescue RuntimeError => error
  # An answer to AUTH, or of a sentinel.
  puts "AUTH failed: #{error.message}"
end

$stdout.sync = true
patience = [ARGV[1].to_i, 1].max
given = $stdin.read.to_s
# What is asked of a server that stops answering ends with this process.
Thread.new { sleep(18 * patience); puts "\nno answer within #{18 * patience} s"; exit!(0) }
begin
  ARGV[0] == "database" ? ask_database(given, 5 * patience) : ask_redis(given, ARGV[2], 3 * patience)
rescue LoadError, Stores::Late => error
  puts error.message
end
$stdout.flush
exit!(0)
