# Every target sets up what it needs in .venv; nothing else has to be installed by hand.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
BENCH_BIN := .venv-bench/bin
BENCH_READY := .venv-bench/.ready
ROUNDS ?= 11
BENCHES := reading kinds log_mel input training edge edge_peers streaming whole_path growth
TOGETHER := -n 2 --dist loadgroup --no-loadscope-reorder
FUZZ_FILES ?= 3000
FUZZ_MODELS ?= 200
FUZZ_SEED ?= 0

.PHONY: help setup demo test test-slow lint docs notebooks strip outputs bench bench-page bench-quick accuracy box fuzz clean

help:
	@echo "make demo         set up and show the whole path on drawn clips (a few minutes)"
	@echo "make test         set up and run the tests (a few minutes)"
	@echo "make test-slow    the tests that take longer"
	@echo "make lint         check style"
	@echo "make docs         write the command reference anew"
	@echo "make notebooks    open the notebooks, with JupyterLab"
	@echo "make strip        take large outputs out of the notebooks, before they are committed"
	@echo "make outputs      run the notebooks anew, and keep what a visitor sees of them (an hour)"
	@echo "make bench        measure everything beside what one would use otherwise, in an environment of its own (ROUNDS=11)"
	@echo "make bench-quick  the same with fewer rounds (five minutes)"
	@echo "make bench-page   the same, and write docs/benchmarks.md anew"
	@echo "make accuracy     measure on the real clips of ../shared, and write docs/accuracy.md (half an hour, the second time minutes)"
	@echo "make box          train the model in saved_models/ on them anew (about half an hour)"
	@echo "make fuzz         read FUZZ_FILES=$(FUZZ_FILES) mutated media files and FUZZ_MODELS=$(FUZZ_MODELS) mutated models, and look for crashes"
	@echo "make clean        remove environments and caches"

setup: $(READY)

$(READY): requirements.txt setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: $(READY)
	$(BIN)/vu demo

test: $(READY)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m pytest $(TOGETHER) -m "not slow"

test-slow: $(READY)
	$(BIN)/python -m pytest $(TOGETHER) -m slow

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

notebooks: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable '.[notebooks]'
	cd notebooks && ../$(BIN)/python -m jupyterlab

strip: $(READY)
	$(BIN)/python -m tests.strip_notebooks

outputs: $(READY)
	mkdir -p build/notebooks
	$(BIN)/python -m tests.strip_notebooks build/notebooks

bench: $(BENCH_READY)
	for one in $(BENCHES); do $(BENCH_BIN)/python -m benchmarks $$one --rounds $(ROUNDS) --json build/bench/$$one.json || exit 1; done

bench-page: $(BENCH_READY)
	for one in $(BENCHES); do \
		$(BENCH_BIN)/python -m benchmarks $$one --rounds $(ROUNDS) \
			--json build/bench/$$one.json --page docs/benchmarks.md || exit 1; \
	done
	$(BENCH_BIN)/python -m benchmarks.summary build/bench docs/benchmarks.md

bench-quick: $(BENCH_READY)
	for one in $(BENCHES); do \
		$(BENCH_BIN)/python -m benchmarks $$one --quick --json build/bench/$$one-quick.json || exit 1; \
	done

accuracy: $(READY)
	$(BIN)/python -m benchmarks.accuracy --page docs/accuracy.md

box: $(READY)
	$(BIN)/python -m benchmarks.accuracy.box

fuzz: $(READY)
	$(BIN)/python -m tests.fuzz.fuzz_reading --files $(FUZZ_FILES) --seed $(FUZZ_SEED)
	$(BIN)/python -m tests.fuzz.fuzz_models --models $(FUZZ_MODELS) --seed $(FUZZ_SEED)

clean:
	rm -rf .venv .venv-bench build dist *.egg-info .pytest_cache .ruff_cache fuzz-findings
