# frozen_string_literal: true

namespace :migrations do
  task fill_organization_id: :environment do
    require "standin/filling_task"
    puts "##################################\nStarting filling organization_id"
    Standin::FillingTask.new(DatabaseMigrations::ORGANIZATION_JOBS).run
  end
end
