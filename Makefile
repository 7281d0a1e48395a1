export PIP_DISABLE_PIP_VERSION_CHECK = 1

PORT ?= 8000
PYTHON ?= $(shell PATH="$$(sh scripts/pythons-path)" sh scripts/find-python)

.PHONY: bench bench-page bench-rendering clean demo faults fuzz messages minify soak test

# The example project with live prices: simulated ones, or the vendor's if FCS_API_KEY is set.
demo: .venv/demo
	@.venv/bin/python scripts/demo.py --port $(PORT)

# All tests. tox.ini says which of them run on which Python and Django.
test:
	@sh scripts/test

# Measure the cost of many browsers on this machine, for docs/performance.md. Run nothing else meanwhile.
bench: .venv/bench
	@.venv/bin/python -m lab.benchmarks

# Measure a page full of prices in Chromium, for its section in docs/performance.md. Run nothing else
# meanwhile: it takes seven minutes.
bench-page: .venv/bench
	@.venv/bin/python -m lab.benchmarks.page

# Measure what a page with 60 tickers costs the server, for its section in docs/performance.md. Run nothing else
# meanwhile: it takes two minutes.
bench-rendering: .venv/bench
	@.venv/bin/python -m lab.benchmarks.rendering

# Write the minified scripts and stylesheet again after a change of their sources. Needs Node.
minify:
	@sh scripts/minify

# Record what visitors see of each fault, for the table of docs/reliability.md. Takes about eight minutes.
faults: .venv/bin/tox
	@rm -rf build/faults
	@PATH="$$(sh scripts/pythons-path)" FCS_REQUIRE_REDIS=1 FCS_FAULTS_RESULTS="$(CURDIR)/build/faults" \
		sh scripts/faults
	@.tox/e2e/bin/python -m tests.faults build/faults

# Send malformed input by the hundred thousand, for the table of docs/reliability.md. Needs Chromium for
# the part that runs in a browser, and leaves that part out without it.
fuzz: .venv/fuzz
	@.venv/bin/python -m lab.fuzzing

# Collect the words that visitors read, and compile their translations.
messages: .venv/bin/python
	@.venv/bin/python -m pip install --quiet 'Babel>=2.17'
	@.venv/bin/python -m lab.messages

# Inject all kinds of faults for half an hour, for the figures of docs/reliability.md.
soak: .venv/bench
	@.venv/bin/python -m lab.soak

clean:
	rm -rf .venv .tox build lab/build scripts/js/build scripts/js/node_modules *.egg-info .coverage .coverage.*

.venv/bin/python:
	@test -n "$(PYTHON)"
	@$(PYTHON) -m venv .venv

.venv/demo: .venv/bin/python setup.cfg pyproject.toml
	@echo "Installing into .venv"
	@.venv/bin/python -m pip install --quiet --editable .
	@touch $@

.venv/bench: .venv/bin/python setup.cfg pyproject.toml
	@echo "Installing into .venv"
	@.venv/bin/python -m pip install --quiet --editable '.[bench]'
	@touch $@

.venv/fuzz: .venv/bin/python setup.cfg pyproject.toml
	@echo "Installing into .venv"
	@.venv/bin/python -m pip install --quiet --editable '.[fuzz]'
	@touch $@

.venv/bin/tox: .venv/bin/python
	@.venv/bin/python -m pip install --quiet 'tox>=4.23' 'tox-uv>=1.20'
	@touch $@
