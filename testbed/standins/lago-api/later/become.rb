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
write_rows = -> { File.write("#{APP}/db/releases.tsv", [heading, *rows.map { |row| row.join("\t") }].join("\n")) }
write_rows.call
exit if release == OLDEST

File.write("#{APP}/LAGO_VERSION", release)
Dir["#{HERE}/v*"].sort_by { |folder| number[File.basename(folder)] }.each do |folder|
  next unless since[File.basename(folder)]

  FileUtils.cp_r("#{folder}/.", APP)
  next unless File.exist?("#{APP}/REMOVED")

  FileUtils.rm(File.readlines("#{APP}/REMOVED", chomp: true).map { |path| "#{APP}/#{path}" })
  FileUtils.rm("#{APP}/REMOVED")
end
FileUtils.cp(Dir["#{HERE}/migrate/*.sql"].select { |file| File.basename(file)[/\d+/] <= rows.last.first }, "#{APP}/db/migrate")

require "standin/rails"
require "standin/migrator"
migrations = Standin::Migrator.all

# From one release on a single migration makes what all those up to it made, for databases that are empty.
if since[FOLDED_IN]
  old, migrations = migrations.partition { |migration| migration.version <= FOLDED }
  versions = old.map(&:version) - [FOLDED]
  sql = [
    File.read("#{HERE}/folded.sql"), *old.filter_map { |migration| migration.sql&.gsub(/^-- enqueue .*$/, "") },
    "INSERT INTO schema_migrations (version) VALUES ('#{versions.join("'), ('")}');"
  ].join("\n")
  migrations.unshift(Standin::Migrator::Migration.new(FOLDED, "InitialMigration", sql))
  FileUtils.rm(Dir["#{APP}/db/migrate/*.sql"].select { |file| File.basename(file)[/\d+/] <= FOLDED })
  File.write("#{APP}/db/migrate/#{FOLDED}_initial_migration.sql", sql)
  rows = rows.select { |row| row[0] >= FOLDED }.map { |row| [row[0], row[1].to_i - versions.size, row[2]] }
  write_rows.call
end

# As in the real image a file of Ruby for each migration, which is counted and never run, and the tables as pg_dump states them.
migrations.each do |migration|
  FileUtils.touch("#{APP}/db/migrate/#{migration.version}_#{migration.name.gsub(/(?<=.)(?=[A-Z])/, "_").downcase}.rb")
end
FileUtils.rm("#{APP}/db/schema.rb")
File.write("/tmp/tables.sql", migrations.filter_map(&:sql).join("\n"))
system("sh", "#{HERE}/dump.sh", "/tmp/tables.sql", "#{APP}/db/structure.sql", exception: true)
FileUtils.rm("/tmp/tables.sql")
