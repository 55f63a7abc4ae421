  # What the schema file of the image says: names only, "!" behind those of columns that may not be NULL. schema.rb until
  # structure.sql came; facts/structure.py has the meaning.
  begin
    path = ["/app/db/schema.rb", "/app/db/structure.sql"].find { |each| File.exist?(each) }
    stated = {file: path.to_s, columns: {}, unique: [], foreign: [], additions: [], functions: [], extensions: []}
    listed = ->(list) { list.to_s.split(",").map { |each| each.strip.delete('":') } }
    unique = ->(table, name, columns, partial) { stated[:unique] << {table: table, name: name, columns: columns, partial: partial} }
    foreign = ->(table, target, columns, valid) { stated[:foreign] << {table: table, target: target, columns: columns, valid: valid} }
    addition = ->(table, name, kind) { stated[:additions] << {table: table, name: name, kind: kind} }
    case path && File.extname(path)
    when ".rb"
      table = nil
      text = File.read(path, encoding: "UTF-8").scrub
      text.each_line do |line|
        line.strip!
        if line.start_with?("t.index", "add_index")
          next unless line.include?("unique: true")
          _, on, columns, rest = line.match(/\A(?:t\.index|add_index "([^"]+)",) (?:\[([^\]]*)\]|"(?:[^"\\]|\\.)*")(.*)/).to_a
          unique.(on || table, rest.to_s[/name: "([^"]+)"/, 1], columns ? listed.(columns) : ["(expression)"], line.include?("where: "))
        elsif line.start_with?("t.unique_constraint", "add_unique_constraint")
          _, on, columns, rest = line.match(/constraint (?:"([^"]+)", )?\[([^\]]*)\](.*)/).to_a
          unique.(on || table, rest.to_s[/name: "([^"]+)"/, 1], listed.(columns), false)
        elsif line.start_with?("t.check_constraint", "add_check_constraint")
          addition.(line[/\Aadd_check_constraint "([^"]+)"/, 1] || table, line[/name: "([^"]+)"/, 1], "check constraint")
        elsif line.start_with?("t.")
          _, name, rest = line.match(/\At\.\w+ "([^"]+)"(.*)/).to_a
          next unless table && name
          rest = rest.gsub(/"(?:[^"\\]|\\.)*"/, "") if rest.include?('"')
          stated[:columns][table] << (rest.include?("null: false") ? "#{name}!" : name)
        elsif line.start_with?("create_table")
          _, table, rest = line.match(/"([^"]+)"(.*)/).to_a
          key = rest.match?(/\bid: false|primary_key: \[/) ? nil : rest[/primary_key: "([^"]+)"/, 1] || "id"
          stated[:columns][table] = key ? ["#{key}!"] : []
          keys = key ? key : rest[/primary_key: \[([^\]]*)\]/, 1]
          unique.(table, "#{table}_pkey", listed.(keys), false) if keys
        elsif line.start_with?("add_foreign_key")
          _, on, target, rest = line.match(/"([^"]+)", "([^"]+)"(.*)/).to_a
          columns = rest.to_s[/column: "([^"]+)"/, 1] || rest.to_s[/column: \[([^\]]*)\]/, 1]
          foreign.(on, target, listed.(columns), !line.include?("validate: false"))
        elsif line.start_with?("enable_extension")
          stated[:extensions] << line[/"([^"]+)"/, 1].to_s.split(".").last
        end
      end
    when ".sql"
      text = File.read(path, encoding: "UTF-8").scrub
      parts = text.scan(/ATTACH PARTITION public\.(\w+)/).flatten
      table = nil
      text.each_line do |line|
        case line
        when /^CREATE TABLE public\.(\w+) \(/
          table = $1
          stated[:columns][table] = []
        when /^\)/ then table = nil
        when /^    CONSTRAINT (\w+) CHECK /
          addition.(table, $1, "check constraint") if table
        when /^    "?(\w+)"? \S+(.*)/
          stated[:columns][table] << $1 + ($2.include?("NOT NULL") ? "!" : "") if table
        end
      end
      text.scan(/^CREATE UNIQUE INDEX (\w+) ON (?:ONLY )?public\.(\w+) USING \w+ \((.*?)\)( INCLUDE | WHERE | NULLS |;)(.*)/) do |name, on, columns, sign, rest|
        unique.(on, name, columns.include?("(") ? ["(expression)"] : listed.(columns.gsub(/ (DESC|ASC|NULLS \w+)\b/, "")), "#{sign}#{rest}".include?("WHERE "))
      end
      text.scan(/^ALTER TABLE (?:ONLY )?public\.(\w+)\n    ADD CONSTRAINT (\w+) (PRIMARY KEY|UNIQUE|CHECK|FOREIGN KEY) \(([^)]*)\)(.*)/) do |on, name, kind, columns, rest|
        case kind
        when "CHECK" then addition.(on, name, "check constraint")
        when "FOREIGN KEY" then foreign.(on, rest[/REFERENCES public\.(\w+)/, 1], listed.(columns), !rest.include?("NOT VALID"))
        else unique.(on, name, listed.(columns), false)
        end
      end
      text.scan(/^CREATE TRIGGER (\w+) .*? ON public\.(\w+)/) { |name, on| addition.(on, name, "trigger") }
      stated[:functions] = text.scan(/^CREATE FUNCTION public\.(\w+)\(/).flatten
      stated[:extensions] = text.scan(/^CREATE EXTENSION IF NOT EXISTS "?([\w-]+)/).flatten
      stated[:columns].reject! { |name, _| parts.include?(name) }
      [:unique, :foreign, :additions].each { |kind| stated[kind].reject! { |each| parts.include?(each[:table]) } }
    end
    stated[:error] = path ? "#{path} names no tables" : "the image has neither db/schema.rb nor db/structure.sql" if stated[:columns].empty?
    stated = {error: "#{path} names more than can be compared"} if JSON.generate(stated).bytesize > 180_000
    facts[:schema] = stated
  rescue => error
    facts[:schema] = {error: said.(error)}
  end
