export PIP_DISABLE_PIP_VERSION_CHECK = 1

PORT ?= 8000
PYTHON ?= $(shell PATH="$$(sh scripts/pythons-path)" sh scripts/find-python)

.PHONY: bench bench-candles bench-charts bench-page bench-rendering clean demo faults fuzz looks messages minify screenshots soak test

# The example project with live prices: simulated ones, or the vendor's if FCS_API_KEY is set.
demo: .venv/demo
	@.venv/bin/python scripts/demo.py --port $(PORT)

# All tests. tox.ini says which of them run on which Python and Django.
test:
	@sh scripts/test

# Measure the cost of many browsers on this machine, for docs/performance.md. Run nothing else meanwhile.
bench: .venv/bench
	@.venv/bin/python -m lab.benchmarks

# Measure what candles with a history cost, for their section in docs/performance.md. Run nothing else
# meanwhile: it takes three minutes.
bench-candles: .venv/bench
	@.venv/bin/python -m lab.benchmarks.candles

# Measure charts on the server and in Chromium, for their section in docs/performance.md. Run nothing else
# meanwhile: it takes three minutes.
bench-charts: .venv/bench
	@.venv/bin/python -m lab.benchmarks.charts

# Measure a page full of prices in Chromium, for its section in docs/performance.md. Run nothing else
# meanwhile: it takes ten minutes.
bench-page: .venv/bench
	@.venv/bin/python -m lab.benchmarks.page

# Measure what pages with 60 rooms cost the server, for their section in docs/performance.md. Run nothing else
# meanwhile: it takes three minutes.
bench-rendering: .venv/bench
	@.venv/bin/python -m lab.benchmarks.rendering

# Write the minified scripts and stylesheet again after a change of their sources. Needs Node.
minify:
	@sh scripts/minify

# Record what visitors see of each fault, for the table of docs/reliability.md. Takes about three minutes.
faults: .venv/bin/tox
	@rm -rf build/faults
	@PATH="$$(sh scripts/pythons-path)" FCS_REQUIRE_REDIS=1 FCS_FAULTS_RESULTS="$(CURDIR)/build/faults" \
		sh scripts/faults
	@.tox/e2e/bin/python -m tests.faults build/faults

# Send malformed input by the hundred thousand, for the table of docs/reliability.md. Needs Chromium for
# the part that runs in a browser, and leaves that part out without it.
fuzz: .venv/fuzz
	@.venv/bin/python -m lab.fuzzing

# Look at every page of the example in every width, language and theme, for the table of docs/looks.md.
# Takes about twelve minutes. To repeat one case: .venv/bin/python -m lab.looks --page / --width 320
looks: .venv/looks
	@.venv/bin/python -m lab.looks

# Collect the words that visitors read, and compile their translations.
messages: .venv/bin/python
	@.venv/bin/python -m pip install --quiet 'Babel>=2.17'
	@.venv/bin/python -m lab.messages

# Take the pictures of README and docs/ again. Takes three minutes.
screenshots: .venv/looks
	@.venv/bin/python -m lab.looks.pictures

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

.venv/looks: .venv/bin/python setup.cfg pyproject.toml
	@echo "Installing into .venv"
	@.venv/bin/python -m pip install --quiet --editable '.[looks]'
	@touch $@

.venv/bin/tox: .venv/bin/python
	@.venv/bin/python -m pip install --quiet 'tox>=4.23' 'tox-uv>=1.20'
	@touch $@
