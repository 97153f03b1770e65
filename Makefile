.DEFAULT_GOAL := help
.PHONY: help run test check faults bench-accounts bench-chat bench-live bench-posts bench-search lock schema clean

BIN := .venv/bin
# Made again when what it was made from has changed.
READY := .venv/.ready

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(READY): pyproject.toml requirements.lock scripts/bootstrap $(wildcard explorer/*.json explorer/*.js explorer/src/*)
	@scripts/bootstrap
	@touch $@

run: $(READY) ## Serve with demo players, chats and games
	@exec $(BIN)/gamebuddy run

test: $(READY) ## Run the tests
	@$(BIN)/pytest

check: $(READY) ## Run everything CI checks besides the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/gamebuddy schema --check
	$(BIN)/gamebuddy check --drift

MINUTES := 3

faults: $(READY) ## Break everything for three minutes (MINUTES=10 for ten) and look whether anything is lost
	$(BIN)/python -m bench.faults --minutes $(MINUTES) --write docs/faults.md

bench-accounts: $(READY) ## Measure signing in
	$(BIN)/python -m bench.accounts --write docs/performance.md

bench-chat: $(READY) ## Measure the messenger on five million messages (twenty minutes, 8 GB of memory)
	$(BIN)/python -m bench.chat --write docs/performance.md

bench-live: $(READY) ## Measure live events beside other servers (about ten minutes; needs cc and npm)
	@cd bench/live/peers && npm ci --silent --no-fund --no-audit --ignore-scripts
	$(BIN)/python -m bench.live --write docs/performance.md

bench-posts: $(READY) ## Measure how many messages a process writes, one transaction each and together (five minutes)
	$(BIN)/python -m bench.posts --write docs/performance.md

bench-search: $(READY) ## Measure the search at up to a million players (ten minutes, 6 GB of memory)
	$(BIN)/python -m bench.search --write docs/performance.md

lock: ## Pin the newest versions that pyproject.toml allows
	uv pip compile pyproject.toml --universal --generate-hashes --group dev --all-extras --no-header \
		--python-version 3.12 --upgrade --quiet -o requirements.lock

schema: $(READY) ## Write schema.graphql and docs/rights.md
	@$(BIN)/gamebuddy schema

clean: ## Remove everything that was made here, your data too
	rm -rf .venv .uv .gamebuddy gamebuddy/static/graphiql explorer/node_modules
