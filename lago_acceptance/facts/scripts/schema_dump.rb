# Runs in Lago's Rails. What Rails would write as the schema file now is compared with the file of the image, line by line;
# where the two differ, JSON in the form of facts/schema_dump.py.
require "json"
require "stringio"
require "tempfile"

MOST = 400
LONGEST = 300

# Of schema.rb: each line of a table, and each other statement.
def entries_of_ruby(text)
  table, view = nil, nil
  text.each_line.with_object([]) do |line, found|
    line = line.strip
    if view
      line == "SQL" ? (found << view; view = nil) : view[:text] += " #{line}"
      next
    end
    case line
    when /\Acreate_table "([^"]+)"/ then table = $1
    when "end" then table = nil
    when /\Acreate_view "([^"]+)"/ then view = {kind: "view", table: $1, name: "", text: ""}
    when /\Acreate_enum "([^"]+)", (.*)/ then found << {kind: "enum", table: "", name: $1, text: $2}
    when /\A(?:t\.index|add_index "([^"]+)",) (.*)/
      on, text = $1 || table, $2
      kind = text.include?("unique: true") ? "unique index" : "index"
      found << {kind: kind, table: on, name: text[/name: "([^"]+)"/, 1].to_s, text: text.sub(/, name: "[^"]+"/, "")}
    when /\A(?:t\.check_constraint|add_check_constraint "([^"]+)",) (.*)/
      on, text = $1 || table, $2
      found << {kind: "check constraint", table: on, name: text[/name: "([^"]+)"/, 1].to_s, text: text.sub(/, name: "[^"]+"/, "")}
    when /\Aadd_foreign_key "([^"]+)", (.*)/
      on, text = $1, $2.sub(/, name: "[^"]+"/, "")
      found << {kind: "foreign key", table: on, name: text[/\A"[^"]+"(?:, column: "[^"]+")?/], text: text}
    when /\At\.(\w+) "([^"]+)"(.*)/
      type, name, rest = $1, $2, $3.sub(/, comment: "(?:[^"\\]|\\.)*"/, "")
      default = rest[/, default: (-> \{ .*? \}|"(?:[^"\\]|\\.)*"|\[.*?\]|\{.*?\}|[^,]+)/, 1].to_s
      shape = rest.sub(", default: #{default}", "").sub(", null: false", "")
      found << {kind: "column", table: table, name: name, text: type + shape, default: default}
    end
  end
end

# Of structure.sql: each line of a table, and each other statement. pg_dump ends a statement with the line.
def entries_of_sql(text)
  statements = [[]]
  quoted = nil
  text.each_line(chomp: true) do |line|
    next if quoted.nil? && (line.empty? || line.start_with?("--", "\\"))
    statements.last << line
    line.scan(/\$\w*\$/) { |tag| quoted = quoted.nil? ? tag : (quoted == tag ? nil : quoted) }
    statements << [] if quoted.nil? && line.end_with?(";")
  end
  statements.each_with_object([]) do |lines, found|
    whole = lines.map(&:strip).join(" ").chomp(";")
    case whole
    when /\ACREATE (?:UNLOGGED )?TABLE public\.(\S+)/
      table = $1.delete('"')
      lines[1..].take_while { |line| !line.start_with?(")") }.each { |line| of_table(table, line.strip.chomp(","), found) }
    when /\ACREATE (UNIQUE )?INDEX (\S+) ON (?:ONLY )?public\.(\S+) (.*)/
      found << {kind: $1 ? "unique index" : "index", table: $3, name: $2, text: $4}
    when /\AALTER TABLE (?:ONLY )?public\.(\S+) ADD CONSTRAINT (\S+) (.*)/
      on, name, text = $1, $2, $3
      kind = {"FOREIGN" => "foreign key", "CHECK" => "check constraint"}.fetch(text[/\w+/], "unique index")
      found << {kind: kind, table: on, name: name, text: text}
    when /\ACREATE TYPE public\.(\S+) AS ENUM (.*)/ then found << {kind: "enum", table: "", name: $1, text: $2}
    when /\ACREATE (?:MATERIALIZED )?VIEW public\.(\S+) AS (.*)/ then found << {kind: "view", table: $1, name: "", text: $2}
    when /\ACREATE FUNCTION public\.([^\s(]+)(.*)/m then found << {kind: "function", table: "", name: $1, text: $2}
    when /\ACREATE TRIGGER (\S+) (.* ON public\.(\S+).*)/ then found << {kind: "trigger", table: $3, name: $1, text: $2}
    end
  end
end

def of_table(table, line, found)
  case line
  when /\ACONSTRAINT (\S+) CHECK (.*)/ then found << {kind: "check constraint", table: table, name: $1, text: $2}
  when /\A"?(\w+)"? (.*)/
    name, rest = $1, $2
    default = rest[/ DEFAULT (.*?)(?= NOT NULL\z|\z)/, 1].to_s
    found << {kind: "column", table: table, name: name, text: rest.sub(" DEFAULT #{default}", "").sub(" NOT NULL", ""), default: default}
  end
end

# Versions of PostgreSQL write one expression with other parentheses and prefixes.
def comparable(entry)
  entry.transform_values { |text| text.gsub(/\b[a-z_]\w*\.(?=[a-z_"])/, "").gsub(/[\s()]+/, " ").strip }
end

begin
  path = ["/app/db/schema.rb", "/app/db/structure.sql"].find { |each| File.exist?(each) }
  raise "the image has neither db/schema.rb nor db/structure.sql" unless path
  now =
    if path.end_with?(".rb")
      begin
        printed = $stdout = StringIO.new
        ActiveRecord::SchemaDumper.dump
      ensure
        $stdout = STDOUT
      end
      printed.string
    else
      tasks = ActiveRecord::Tasks::DatabaseTasks
      flags = tasks.structure_dump_flags
      # pg_dump waits for locks without end.
      tasks.structure_dump_flags = Array(flags) + ["--lock-wait-timeout=2s"] unless flags.is_a?(Hash)
      Tempfile.create(["structure", ".sql"]) do |file|
        tasks.structure_dump(ActiveRecord::Base.connection_db_config, file.path)
        File.read(file.path, encoding: "UTF-8")
      end
    end
  entries = path.end_with?(".rb") ? method(:entries_of_ruby) : method(:entries_of_sql)
  stated, there = [File.read(path, encoding: "UTF-8"), now].map { |text| entries.(text.scrub).to_h { |each| [comparable(each), each] } }
  raise "#{path} has no tables" if stated.empty?
  raise "Rails wrote no tables" if there.empty?
  only = ->(one, other) { one.reject { |key, _| other.key?(key) }.values.first(MOST).map { |each| each.transform_values { |text| text[0, LONGEST] } } }
  found = {file: path, only_stated: only.(stated, there), only_there: only.(there, stated)}
rescue StandardError, LoadError => error
  found = {error: "#{error.class}: #{error.message}".lines.map(&:strip).join(" ")[0, LONGEST]}
end
puts "\nschema dump: #{JSON.generate(found)}"
