# frozen_string_literal: true

# Makes /app, which is v1.16.0, the release that is named: adds what came until then (a folder for each release that brought
# something, with a list of what it took away), its migrations, and the schema file. Runs while the image is built.
require "fileutils"

HERE, APP = __dir__, "/app"
OLDEST, FOLDED_IN, FOLDED = "v1.16.0", "v1.31.0", "20250122112050"

release = ARGV.fetch(0)
number = ->(tag) { Gem::Version.new(tag.delete_prefix("v")) }
since = ->(tag) { number[release] >= number[tag] }
heading, *rows = File.readlines("#{HERE}/releases.tsv", chomp: true)
rows.map! { |row| row.split("\t") }
last = rows.index { |row| row[2] == release } || abort("No release #{release} in releases.tsv")
rows = rows.first(last + 1)
newest = rows.last.first

File.write("#{APP}/LAGO_VERSION", release)
Dir["#{HERE}/v*"].sort_by { |folder| number[File.basename(folder)] }.each do |folder|
  next unless since[File.basename(folder)]

  FileUtils.cp_r("#{folder}/.", APP)
  next unless File.exist?("#{APP}/REMOVED")

  FileUtils.rm(File.readlines("#{APP}/REMOVED", chomp: true).map { |path| "#{APP}/#{path}" })
  FileUtils.rm("#{APP}/REMOVED")
end

brought = Dir["#{HERE}/migrate/*.sql"].select { |file| File.basename(file)[/\d+/] <= newest }
FileUtils.cp(brought, "#{APP}/db/migrate")

# From one release on a single migration makes what all those up to it made, for databases that are empty.
if since[FOLDED_IN]
  require "standin/rails"
  require "standin/migrator"
  File.write(Standin::Migrator::COUNTS, [heading, *rows.map { |row| row.join("\t") }].join("\n"))
  old = Standin::Migrator.all.select { |migration| migration.version <= FOLDED }
  versions = old.map(&:version) - [FOLDED]
  FileUtils.rm(Dir["#{APP}/db/migrate/*.sql"].select { |file| File.basename(file)[/\d+/] <= FOLDED })
  File.write("#{APP}/db/migrate/#{FOLDED}_initial_migration.sql", [
    File.read("#{HERE}/folded.sql"), *old.filter_map { |migration| migration.sql&.gsub(/^-- enqueue .*$/, "") },
    "INSERT INTO schema_migrations (version) VALUES ('#{versions.join("'), ('")}');"
  ].join("\n"))
  rows = rows.select { |row| row[0] >= FOLDED }.map { |row| [row[0], row[1].to_i - versions.size, row[2]] }
end
File.write("#{APP}/db/releases.tsv", [heading, *rows.map { |row| row.join("\t") }].join("\n"))

# Releases after the oldest state their tables as pg_dump writes them.
if release != OLDEST
  FileUtils.rm("#{APP}/db/schema.rb")
  File.write("/tmp/tables.sql", Dir["#{APP}/db/migrate/*.sql"].sort.map { |file| File.read(file) }.join("\n"))
  system("sh", "#{HERE}/dump.sh", "/tmp/tables.sql", "#{APP}/db/structure.sql", exception: true)
  FileUtils.rm("/tmp/tables.sql")
end
