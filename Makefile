# `make smoke` is all that is needed on a fresh machine. ARGS is handed to pytest.
.POSIX:
.SILENT:
.PHONY: help smoke test unit lint gate live nightly report bench images docs setup clean
PYTEST = .venv/bin/pytest

help:  ## these lines
	sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 14

smoke: setup  ## set everything up, bring the deployment up here, and give a verdict
	$(PYTEST) -c pytest.ini -m smoke $(ARGS)

test: setup  ## every test of this project; STATUS_FILE=… receives pytest's exit code, which make hides
	bin/setup-tests
	$(MAKE) --no-print-directory lint
	# Hundreds of runs of the suite: where Python may not write bytecode, each would compile it again.
	PYTHONDONTWRITEBYTECODE= $(PYTEST) -c tests/pytest.ini --rootdir tests -p xdist -n 2 tests $(ARGS) && status=0 || status=$$?; \
	echo $$status >$${STATUS_FILE:-/dev/null}; exit $$status

unit:  ## the quick tests: no Docker
	bin/setup-python
	$(PYTEST) -c tests/pytest.ini --rootdir tests -p xdist -n 4 tests/unit $(ARGS)

lint:  ## style, types, and the rooms' import contracts
	bin/setup-python
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

gate:  ## may this compose file be merged? Needs no Docker
	bin/setup-python
	$(PYTEST) -c pytest.ini -m gate $(ARGS)

live:  ## HOSTS=ssh://root@host: is production healthy? Changes nothing
	test -n "$(HOSTS)" || { echo "Which host? make live HOSTS=ssh://root@host" >&2; exit 4; }
	bin/setup-python
	$(PYTEST) -c pytest.ini --target live --hosts "$(HOSTS)" $(ARGS)

nightly:  ## HOSTS=ssh://root@host: the look of every night, with alarms where configured
	test -n "$(HOSTS)" || { echo "Which host? make nightly HOSTS=ssh://root@host" >&2; exit 4; }
	bin/setup-python
	.venv/bin/lago-acceptance nightly --hosts "$(HOSTS)" $(ARGS)

report:  ## reports/allure-report.html: Allure's report of the newest run of each host. Needs Node.js
	bin/setup-python
	.venv/bin/python -m lago_acceptance.cli.report $(ARGS)

bench: setup  ## the numbers that the project promises
	.venv/bin/python -m bench $(ARGS)

images: setup  ## build the stand-ins that are not there yet
	.venv/bin/lago-acceptance images

docs:  ## write docs/checks.md, docs/upgrades.md, the tables of docs/your-lago.md and the schema of summary.json from the code, and build the site into site/
	bin/setup-python
	.venv/bin/python -m lago_acceptance.core.explain
	.venv/bin/python -m lago_acceptance.lago.upgrades_page
	.venv/bin/python -m lago_acceptance.targets.your_lago
	.venv/bin/python -m lago_acceptance.reports.schema
	.venv/bin/mkdocs build --quiet --strict

setup:  ## Python packages, Compose, Docker Engine
	bin/setup

clean:  ## remove .venv, caches, reports, the site and the stand-in images
	rm -rf .venv .venv.lock *.egg-info .ruff_cache .pytest_cache .import_linter_cache .hypothesis reports site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	docker image ls --format '{{.Repository}}:{{.Tag}}' 'lago-acceptance/*' | xargs -r docker image rm >/dev/null
