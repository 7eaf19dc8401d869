# Every target sets itself up: nothing is needed but Python 3.11 or later, make and git.

.PHONY: chromium keytool demo test prove simulate planted-bugs soak check bench format constraints clean help
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
# Tests start many processes: each would compile the product anew if none might write down what it has compiled.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3, \
  $(if $(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))))
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --quiet --disable-pip-version-check
JAVASCRIPT := tests/clients/js
NODE_MODULES := $(JAVASCRIPT)/node_modules/.package-lock.json
PYTEST := $(PY) -m pytest -q -n 2 --dist worksteal
# What runs under every value of the sandbox's switches: whatever writes to mailboxes or signs in.
EACH_SWITCH := $(addprefix tests/,deliver verify identity/test_sign_in.py identity/test_tokens.py outlook/test_client.py \
  outlook/test_looks.py $(addprefix scenarios/test_,bad_credentials.py foreign_events.py leaving.py lost_ledger.py \
  rebuilt_ledger.py restored.py wishes.py))

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

demo: $(VENV)/.runtime ## sandbox, sample university and a sync, told as a story; no account needed
	@$(VENV)/bin/classbell demo

test: $(VENV)/.dev ## the tests of every day
	@$(PYTEST) -m 'not prove'

prove: $(VENV)/.clients $(NODE_MODULES) chromium keytool ## the longer proofs, with Microsoft's own clients and a browser
	@$(PYTEST) -m prove
	@$(PYTEST) -m 'not prove and not shared' --each-switch $(EACH_SWITCH)

# Some seeds (SEEDS=500) from one on (FROM=0); each can be played again alone: python -m tests.simulation SEED
SEEDS := 500
FROM := 0

simulate: $(VENV)/.dev ## engine and sandbox in virtual time, with faults, users and crashes drawn by seed
	@$(PY) -m tests.simulation --seeds $(SEEDS) --from $(FROM)

planted-bugs: $(VENV)/.dev ## plants bugs in a copy of the code, and shows that tests find each
	@$(PY) -m tests.planted

soak: $(VENV)/.dev ## property tests with many more, and new, examples; and 200 real processes killed
	@$(PYTEST) -m hypothesis --hypothesis-profile=soak --timeout=3600
	@$(PY) -m tests.processes --kills 200 --from $(FROM)

check: $(VENV)/.dev ## formatting, lint, types
	@$(VENV)/bin/ruff format --quiet --check .
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/mypy --no-error-summary

format: $(VENV)/.dev ## put the code into its form
	@$(VENV)/bin/ruff format --quiet .
	@$(VENV)/bin/ruff check --quiet --fix-only .

bench: $(VENV)/.dev ## figures, printed and put into build/bench.json, never tested
	@$(PY) -m benchmarks.sandbox
	@$(PY) -m benchmarks.whole_university ../shared/data/itc2019/pu-d5-spr17.xml --weeks 2

constraints: $(VENV)/.clients ## write the exact versions of the present environment to constraints.txt
	@$(PIP) freeze --exclude-editable --exclude classbell > constraints.txt

clean: ## remove the environment and everything built
	@rm -rf $(VENV) $(JAVASCRIPT)/node_modules build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The demo waits for the product's own dependencies only; the tools for development come with the rest.
$(VENV)/.runtime: pyproject.toml constraints.txt | $(PY)
	@echo "Installing Classbell into $(VENV) ..."
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(PY)
	@echo "Installing Classbell and its tools for development into $(VENV) ..."
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $(VENV)/.runtime $@

# The clients that the sandbox is shown to serve take half a gigabyte: only the longer proofs wait for them.
$(VENV)/.clients: $(VENV)/.dev
	@echo "Installing the clients that the sandbox is tried with into $(VENV) ..."
	@$(PIP) install -c constraints.txt -e '.[clients,browser]'
	@touch $@

# Debian's Chromium looks at the sandbox's pages. Where it is not to be had, those tests are skipped and say so.
chromium:
	@if ! test -x /usr/bin/chromium && command -v apt-get && test "$$(id -u)" = 0; then apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; fi >/dev/null
	@test -x /usr/bin/chromium || echo 'Chromium is missing, so the tests in a browser are skipped.' \
	  'On Debian and Ubuntu: apt install chromium' >&2

# openssl and Java's keytool make the keys that ours are held against. Where they are not to be had, those tests are
# skipped and say so.
keytool:
	@if ! { command -v openssl && command -v keytool; } >/dev/null && command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openssl \
	  default-jre-headless; } >/dev/null; fi
	@command -v openssl >/dev/null && command -v keytool >/dev/null || echo 'openssl or keytool is missing, so the tests' \
	  'with them are skipped. On Debian and Ubuntu: apt install openssl default-jre-headless' >&2

# Node.js runs Microsoft's client for JavaScript. Where it is not to be had, those tests are skipped and say so.
$(NODE_MODULES): $(JAVASCRIPT)/package.json $(JAVASCRIPT)/package-lock.json
	@if ! command -v npm && command -v apt-get && test "$$(id -u)" = 0; then apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm; fi >/dev/null
	@if command -v npm >/dev/null; then cd $(JAVASCRIPT) && npm ci --loglevel=error >/dev/null && touch node_modules/.package-lock.json; \
	  else echo 'npm is missing, so the tests with the client for JavaScript are skipped.' \
	  'On Debian and Ubuntu: apt install nodejs npm' >&2; fi

$(PY):
	@test -n '$(PYTHON)' || { echo 'Classbell needs Python 3.11 or later; none was found on the PATH.' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo 'The environment could not be made. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
