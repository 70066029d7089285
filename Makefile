# voxvault: two commands matter, `make run` and `make test`.
# Everything is built with the release profile in one target directory, so
# that whisper.cpp, by far the slowest part, is compiled once.

# Where rustup puts cargo, also in a shell that was opened before it did.
export PATH := $(HOME)/.cargo/bin:$(PATH)

CARGO ?= cargo
PREFIX ?= $(HOME)/.local
DESTDIR ?=
CARGO_TARGET_DIR ?= target
export CARGO_TARGET_DIR

PROGRAM := $(CARGO_TARGET_DIR)/release/voxvault
CARGO_DENY_VERSION := 0.20.2
# A network that swallows packets must not stop a check; macOS has no timeout.
TIMEOUT := $(shell command -v timeout >/dev/null 2>&1 && echo timeout 60)

.DEFAULT_GOAL := help
.PHONY: help run test torture build check fmt-check clippy doc deny shellcheck model bench install clips clean setup setup-tests

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

# Without a speech model everything but transcribing works.
run: build ## install what is missing, build, get a speech model, open the program
	@scripts/get-model || echo 'note: there is no speech model; recordings wait to be transcribed' >&2
	@if [ -t 0 ] && [ -t 1 ]; then exec $(PROGRAM); else exec scripts/first-run $(PROGRAM); fi

test: setup-tests model ## every test, in release
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run --release --locked; \
	else \
		echo 'note: cargo-nextest is not installed; the slower cargo test does the same' >&2; \
		$(CARGO) test --release --locked --lib --bins --tests --examples; \
	fi
	$(CARGO) test --release --locked --doc

torture: setup-tests model ## ten minutes of power cuts, kills, damage and attacks; the last line counts them
	@scripts/torture

build: setup ## target/release/voxvault
	$(CARGO) build --release --locked

model: build ## get a speech model, where there is none
	@scripts/get-model

check: fmt-check clippy doc deny shellcheck ## format, lints, documentation links, licences and bans

fmt-check:
	$(CARGO) fmt --check

clippy: setup
	$(CARGO) clippy --release --all-targets --locked -- -D warnings

# Private items too: their links are read as often as the public ones.
doc: setup
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --no-deps --document-private-items --lib --locked

# cargo-deny takes two and a half minutes to build on two cores, once. The
# advisories need a database from the network: where it can't be had, the
# other checks stand alone.
deny: setup
	@$(CARGO) deny --version >/dev/null 2>&1 || { \
		echo 'installing cargo-deny $(CARGO_DENY_VERSION)' >&2; \
		env -u CARGO_TARGET_DIR $(CARGO) install --quiet --locked cargo-deny --version $(CARGO_DENY_VERSION); \
	}
	$(CARGO) deny --locked --log-level error check bans licenses sources
	@if $(TIMEOUT) $(CARGO) deny --log-level error fetch db >/dev/null 2>&1; then \
		$(CARGO) deny --locked --log-level error check --disable-fetch advisories; \
	else \
		echo 'note: the advisory database can not be reached; advisories were not checked' >&2; \
	fi

shellcheck:
	@if command -v shellcheck >/dev/null; then \
		shellcheck .ci/run $$(grep -lE '^#!.*\b(ba)?sh$$' scripts/* benches/* 2>/dev/null); \
	else \
		echo 'note: shellcheck is not installed; the scripts were not checked' >&2; \
	fi

# benches/ holds Rust benchmarks and scripts that measure the program.
bench: model ## what the figures in the documentation come from
	@if ls benches/*.rs >/dev/null 2>&1; then $(CARGO) bench --locked --benches; fi
	@for script in benches/*; do \
		if [ -f "$$script" ] && [ -x "$$script" ]; then echo "== $$script"; "$$script" || exit 1; fi; \
	done

install: build ## program, manual and completions, into PREFIX (~/.local)
	scripts/install $(PROGRAM) "$(DESTDIR)$(PREFIX)"

clips: ## make the example recordings again (needs flite and ffmpeg)
	scripts/make-clips

clean: ## remove everything that was built
	$(CARGO) clean

setup:
	@scripts/setup

setup-tests:
	@scripts/setup --tests
