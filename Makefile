# The tasks of a checkout: `make up`, `make test`, `make check`. Each installs what it needs.
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3,$(if $(shell $(p) -c 'import sys; print(sys.version_info >= (3, 11))' 2>/dev/null | grep True),$(p))))
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

BROKER ?= embedded
# Others may be installed beside those of this tree; their shapes are their authors'.
SYSTEMS := clinical_lab,data_ingestion,flight_reservations,health_subscriptions,medical_datasets,partner_alliances

.PHONY: up test check docs protos conformance chaos bench format lock clean

up: $(VENV)/.installed  ## Run the whole engine in the foreground; ARGS="--ephemeral --ports auto --json"
	@exec $(BIN)/caudal up $(ARGS)

test: $(VENV)/.installed-dev  ## Run every test, the real stack included; ARGS="-n 2 --dist loadfile": several files at a time
	$(BIN)/pytest $(ARGS)

check: $(VENV)/.installed-dev  ## Format, lint, types, import rules, unit tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	CAUDAL_SYSTEMS=$(SYSTEMS) $(BIN)/caudal schemas check
	$(BIN)/pytest -q tests/unit tests/architecture $(ARGS)

docs: $(VENV)/.installed-dev  ## Build the documentation's site into .site, without the network; a warning is an error
	$(BIN)/python -m tests.site && echo "The site is in .site: open .site/index.html"

conformance: $(VENV)/.installed-dev  ## Test a broker for what the engine relies on; BROKER=embedded|kafka|kafka-tls|redpanda
	$(BIN)/pytest tests/conformance $(if $(filter kafka-tls,$(BROKER)),,tests/e2e/test_commands.py tests/e2e/test_data_ingestion.py) --broker $(BROKER) $(ARGS)

chaos: $(VENV)/.installed-dev  ## Inject faults under load, and prove that nothing is lost; ARGS="--faults N --seed S [--broker kafka|kafka-tls]"
	$(BIN)/python -m tests.chaos $(ARGS)

bench: $(VENV)/.installed-dev  ## Measure; ARGS="append|http|growth|load|relay|project|rebuild|latency|soak|overload|images [--rounds N] [--json]"
	$(BIN)/python -m tests.benchmarks $(ARGS)

format: $(VENV)/.installed-dev  ## Format the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

PROTOS := deploy/flight_reservations
protos: $(VENV)/.installed-dev  ## Generate the code of the gRPC protocols
	$(BIN)/python -m grpc_tools.protoc -I$(PROTOS)=schemas/flight_reservations --python_out=. --pyi_out=. --grpc_python_out=. $(PROTOS)/vuelos.proto

lock:  ## Pin every dependency again, with hashes and without addresses (needs uv)
	uv pip compile pyproject.toml --extra local --extra grpc --extra parquet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --upgrade -q -o requirements.lock
	uv pip compile pyproject.toml --extra local --extra grpc --extra parquet --extra dev -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url -q -o requirements-dev.lock

clean:  ## Remove the environment and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(call install,requirements.lock)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml
	@$(call install,requirements-dev.lock)
	@touch $@ $(VENV)/.installed

# With uv if it is installed, else with venv and pip. An environment without a working pip, which an interrupted install leaves
# behind, is created again. A dot every five seconds shows that the install goes on. The project itself is installed editable,
# with the build tools of the lock file.
define install
	if [ -z "$(PYTHON)" ] && ! command -v uv >/dev/null; then \
	  echo "Caudal needs Python 3.11 or newer; python3 is $$(python3 --version 2>&1). Name another with PYTHON=…"; exit 1; fi; \
	printf "Installing into $(VENV) from $(1), which takes a minute or two "; \
	( while sleep 5 >/dev/null 2>&1; do printf .; done ) & dots=$$!; trap "kill $$dots 2>/dev/null; echo" EXIT; \
	if command -v uv >/dev/null; then \
	  { test -x $(BIN)/python || uv venv -q --python '>=3.11' $(VENV); } && \
	  uv pip install -q --python $(BIN)/python --compile-bytecode --require-hashes -r $(1) && \
	  uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
	  { $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV); } && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(1) && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi && $(BIN)/python -m compileall -q schemas aggregates streams command_api projectors query_api deploy
endef
