"""The steps of a deploy, as data: what each does, how long it may take, and what undoing it does. shell/<name>.part.sh runs them."""

from __future__ import annotations

import msgspec

# How long the undoing of one step may take, in seconds: it may have to restore a dump.
UNDO_SECONDS = 1800
# Less than the step may take that waits for the workers.
LONGEST_DRAIN = 840


class Step(msgspec.Struct, frozen=True):
    """One step. ``begins`` is printed when it begins, ``failed`` says what could not be done; ``seconds`` is its deadline."""

    name: str
    begins: str
    failed: str
    seconds: float


def at(step: Step, tag: str) -> Step:
    """The step of one release: what it says names the tag."""
    return msgspec.structs.replace(step, begins=step.begins.format(tag), failed=step.failed.format(tag))


PULL = Step("pull", "pulling the images", "the images could not be pulled", 1800)
KEEP = Step("keep", "keeping the files and images that run now", "the backup could not be written", 120)
QUIET = Step(
    "quiet",
    "waiting until the workers have finished their jobs",
    "the workers did not finish their jobs in time",
    900,
)
STOP = Step("stop", "stopping API, workers and clock", "the old version could not be stopped", 180)
DUMP = Step("dump", "dumping the database", "the database could not be dumped", 3600)
FILES = Step("files", "putting the new files in place", "the new files could not be written", 60)
STORES = Step("stores", "starting database and Redis", "the new version's stores can't be used", 300)
WORK = Step("work", "starting workers and clock", "the new version's workers did not start", 900)
ADOPT = Step(
    "adopt",
    "looking for jobs in queues that no worker reads any more",
    "jobs in queues that no worker reads any more could not be moved",
    120,
)
# With the migrations, which may fill or rewrite large tables.
UP = Step("up", "starting the new version", "the new version did not start", 7200)
# A slice of it: counting the rows of a large table takes a while.
FILL = Step("fill", "filling in what this release needs", "what this release needs was not filled in", 900)
# For a stop whose image can't be had, by the image of a later release.
AHEAD_MIGRATE = Step(
    "ahead_migrate",
    "migrating to {0} with the new version's image",
    "the database could not be migrated to {0}",
    7200,
)
AHEAD_WORK = Step("ahead_work", "starting a worker for the jobs of {0}", "no worker for the jobs of {0}", 180)
AHEAD_REST = Step(
    "ahead_rest", "ending that worker", "the worker for the jobs of {0} could not be ended", 120
)
MARK = Step("mark", "noting how far the upgrade is", "it could not be noted how far the upgrade is", 30)
MARK_BACK = Step(
    "mark_back", "noting how far the upgrade was then", "it could not be noted how far the upgrade was", 30
)
RETURN = Step("return", "restoring the kept images and data", "the backup could not be restored", 3600)
REMOVE = Step("remove", "removing containers and volumes", "not everything could be removed", 300)

DEPLOY = (PULL, KEEP, QUIET, STOP, DUMP, FILES, STORES, UP, WORK, ADOPT)
# Where nothing runs yet, or nothing that answers requests or stores data is recreated.
QUICK_DEPLOY = (PULL, KEEP, FILES, UP, WORK)
ROLLBACK = (KEEP, QUIET, STOP, DUMP, FILES, RETURN, MARK_BACK, UP, WORK, ADOPT)
DOWN = (KEEP, QUIET, STOP, DUMP, REMOVE)


def drain_seconds(text: str) -> int:
    """How long workers may take to finish their jobs, as an operator writes it. ValueError, with a sentence, where that is no such time."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= LONGEST_DRAIN):
        raise ValueError(f"a whole number of seconds from 1 to {LONGEST_DRAIN} is wanted")
    return int(text)
