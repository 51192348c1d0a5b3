# Every target sets up what it needs in .venv; nothing else has to be installed by hand.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
BENCH_BIN := .venv-bench/bin
BENCH_READY := .venv-bench/.ready
FUZZ_FILES ?= 3000
FUZZ_SEED ?= 0

.PHONY: help setup test test-slow lint docs bench bench-page bench-quick fuzz clean

help:
	@echo "make test         set up and run the tests (a few minutes)"
	@echo "make test-slow    the tests that take longer"
	@echo "make lint         check style"
	@echo "make docs         write the command reference anew"
	@echo "make bench        measure against other readers, in an environment of its own"
	@echo "make bench-quick  the same with fewer rounds"
	@echo "make fuzz         read FUZZ_FILES=$(FUZZ_FILES) mutated media files and look for crashes"
	@echo "make clean        remove environments and caches"

setup: $(READY)

$(READY): requirements.txt setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

test: $(READY)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m pytest -n 2 -m "not slow"

test-slow: $(READY)
	$(BIN)/python -m pytest -n 2 -m slow

lint: $(READY)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

docs: $(READY)
	$(BIN)/python -m video_understanding.cli.reference docs/commands.md

$(BENCH_READY): requirements-bench.txt
	test -x $(BENCH_BIN)/python || $(PYTHON) -m venv .venv-bench
	# One by one: a peer that cannot be installed here is left out, and the benchmark says so.
	grep -v '^#' requirements-bench.txt | xargs -n 1 $(BENCH_BIN)/python -m pip install --quiet --disable-pip-version-check || true
	touch $@

bench: $(BENCH_READY)
	$(BENCH_BIN)/python -m benchmarks.reading --json build/bench/reading.json
	$(BENCH_BIN)/python -m benchmarks.training --json build/bench/training.json

bench-page: $(BENCH_READY)
	$(BENCH_BIN)/python -m benchmarks.reading --page docs/benchmarks.md

bench-quick: $(BENCH_READY)
	$(BENCH_BIN)/python -m benchmarks.reading --quick --json build/bench/reading-quick.json
	$(BENCH_BIN)/python -m benchmarks.training --quick --json build/bench/training-quick.json

fuzz: $(READY)
	$(BIN)/python -m tests.fuzz.fuzz_reading --files $(FUZZ_FILES) --seed $(FUZZ_SEED)

clean:
	rm -rf .venv .venv-bench build dist *.egg-info .pytest_cache .ruff_cache fuzz-findings
