"""A git repository with some releases of a made-up Lago."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

JOB = """\
module DatabaseMigrations
  class PopulateTicketsWithOwnerJob < ApplicationJob
    queue_as :low_priority
    unique :until_executed

    def perform(batch_number = 1)
      batch = Ticket.unscoped.where(owner_id: nil).limit(1000)
      if batch.exists?
        batch.update_all("owner_id = (SELECT owner_id FROM shows WHERE shows.id = tickets.show_id)")
        self.class.perform_later(batch_number + 1)
      end
    end
  end
end
"""
TASK = """\
namespace :upgrade do
  task perform_required_jobs: :environment do
    resources = [
      # {model: Show, job: DatabaseMigrations::PopulateShowsJob},
      {model: Ticket, job: DatabaseMigrations::PopulateTicketsWithOwnerJob}
    ]
  end
end
"""
ROUTES = """\
Rails.application.routes.draw do
  mount Sidekiq::Web, at: "/sidekiq" if defined? Sidekiq::Web
  get "/health", to: "application#health"
  namespace :api do
    namespace :v1 do
      # resources :ghosts
      resources :tickets, param: :code, only: %i[index show],
        constraints: {code: /[^\\/]+/} do
        post :print, on: :member
        collection do
          delete "/", action: :destroy_all
        end
        scope module: :tickets do
          resource :owner, only: :update
        end
      end
      get "/shows/:id/seats", to: "shows#seats"
    end
  end
  resources :elsewhere
end
"""
SERIALIZER = """\
module V1
  class TicketSerializer < ModelSerializer
    def serialize
      payload = {
        lago_id: model.id,
        code:
      }
      payload.merge!(
        seat: model.seat
      )
      payload[:row] = model.row
      other = Show.find_by(
        name: model.name
      )
      payload
    end
  end
end
"""
WEBHOOKS = """\
class SendWebhookJob < ApplicationJob
  WEBHOOK_SERVICES = {
    "ticket.sold" => Webhooks::Tickets::SoldService
  }
end
"""
FIRST = {
    "Gemfile.lock": "    sidekiq (7.3.1)\n",
    "config/routes.rb": ROUTES,
    "scripts/start.worker.sh": "#!/bin/bash\nbundle exec sidekiq -C config/sidekiq.yml\n",
    "lib/tasks/signup.rake": "api_key.update!(value: ENV['LAGO_API_KEY'])\n",
    "db/migrate/20240101000000_create_tickets.rb": "class CreateTickets < ActiveRecord::Migration[7.1]\nend\n",
    "db/schema.rb": 'create_table\n  create_table "tickets", id: :uuid do |t|\n    t.string "code"\n  end\n',
    "app/serializers/v1/ticket_serializer.rb": SERIALIZER,
    "app/jobs/send_webhook_job.rb": WEBHOOKS,
}
SECOND = {
    "Gemfile.lock": "    sidekiq (7.3.1)\n    sidekiq-throttled (1.4.0)\n",
    "scripts/start.worker.sh": "#!/bin/bash\nexec bundle exec sidekiq -C config/sidekiq/sidekiq.yml\n",
    "scripts/migrate.sh": "#!/bin/bash\nset -e\nbundle exec rails roles:seed_predefined\n",
    "db/migrate/20240201000000_add_owner_to_tickets.rb": "class AddOwner < ActiveRecord::Migration[7.1]\nend\n",
    "db/schema.rb": None,
    "db/structure.sql": "CREATE TABLE public.tickets (\n    code text,\n    owner_id uuid\n);\n",
    "app/models/ticket.rb": "class Ticket < ApplicationRecord\nend\n",
    "app/jobs/database_migrations/populate_tickets_with_owner_job.rb": JOB,
    "lib/tasks/upgrade_verification.rake": TASK,
    "app/serializers/v1/ticket_serializer.rb": SERIALIZER.replace("code:", "number:"),
}
THIRD = {
    # Its number is older than that of the release before.
    "db/migrate/20240115000000_add_check_to_tickets.rb": """\
class AddCheck < ActiveRecord::Migration[7.1]
  def change
    add_check_constraint :tickets, "owner_id IS NOT NULL", name: "tickets_owner_id_null", validate: false
    add_check_constraint :tickets, "price >= 0", name: "price_not_negative", validate: false
  end
end
""",
    "db/migrate/20240301000000_validate_tickets.rb": """\
class ValidateTickets < ActiveRecord::Migration[7.1]
  def up
    validate_check_constraint :tickets, name: "tickets_owner_id_null"
    change_column_null :tickets, :owner_id, false
    validate_check_constraint :tickets, name: "price_not_negative"
  end

  def down
    change_column_null :tickets, :code, false
  end
end
""",
    "app/jobs/database_migrations/populate_tickets_with_owner_job.rb": None,
    "config/routes.rb": ROUTES.replace("only: :update", "only: %i[update destroy]"),
}
RELEASES: Mapping[str, Mapping[str, str | None]] = {"v1.16.0": FIRST, "v1.17.0": SECOND, "v1.18.0": THIRD}


def git(folder: Path, *arguments: str) -> None:
    """Run git as somebody, at a fixed time."""
    time = "2024-05-01T12:00:00Z"
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "GIT_COMMITTER_DATE": time,
            "GIT_AUTHOR_DATE": time,
        },
    )


def release(folder: Path, tag: str, files: Mapping[str, str | None]) -> None:
    """Commit files (None: removed) and tag them."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text, "utf-8")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", tag)
    git(folder, "tag", tag)


def repository(folder: Path) -> Path:
    """A repository with all releases."""
    folder.mkdir()
    git(folder, "init", "--quiet")
    for tag, files in RELEASES.items():
        release(folder, tag, files)
    return folder
