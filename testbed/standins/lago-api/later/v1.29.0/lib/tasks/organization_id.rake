# frozen_string_literal: true

require "standin/filling_task"

namespace :migrations do
  task fill_organization_id: :environment do
    puts "##################################\nStarting filling organization_id"
    Standin::FillingTask.new(DatabaseMigrations::ORGANIZATION_JOBS).run
  end
end
