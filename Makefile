# The handful of commands a developer needs. `make` says what they are; meson does the work.

# Debian's names. What the program needs to be built, and what its tests need besides.
BUILD_PACKAGES = gcc libc6-dev meson ninja-build pkg-config python3-minimal tzdata \
  libjansson-dev libssl-dev libyaml-dev libsqlite3-dev libcurl4-openssl-dev libuv1-dev libmicrohttpd-dev libhiredis-dev librdkafka-dev libpq-dev
TEST_PACKAGES = $(BUILD_PACKAGES) libcmocka-dev python3-pytest python3-venv python3-yaml python3-croniter python3-dateutil python3-jsonschema python3-tz \
  clang-format clang-tidy postgresql pgbouncer redis-server kcat prometheus
BENCH_PACKAGES = $(BUILD_PACKAGES) wrk redis-server postgresql
# debhelper and what it needs build the package; the rest tries it in a clean root.
DEB_PACKAGES = $(BUILD_PACKAGES) debhelper dpkg-dev fakeroot
DEB_TEST_PACKAGES = $(DEB_PACKAGES) python3-pytest debootstrap systemd man-db
IMAGE_TEST_PACKAGES = python3-pytest python3-venv debootstrap buildah podman
FUZZ_PACKAGES = $(TEST_PACKAGES) clang libclang-rt-14-dev

# Debian's own interpreter: the packages above belong to it.
PYTHON ?= /usr/bin/python3
FUZZ_SECONDS ?= 60

.PHONY: help deps deps-build deps-bench deps-fuzz build run test lint bench fuzz docs deb test-deb test-image clean

help:
	@echo "make run     build Carillon and start it on http://127.0.0.1:9902, data in build/run"
	@echo "make build   the release binary: build/release/carillon"
	@echo "make test    everything that shows it works; the last line counts"
	@echo "make lint    format, clang-tidy, the order of the rooms, self-contained headers"
	@echo "make bench   how fast it is on this machine"
	@echo "make fuzz    each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)"
	@echo "make deb     the Debian package: build/deb/carillon_*.deb"
	@echo "make test-deb  installs, starts, upgrades and removes it in a clean Debian (needs root)"
	@echo "make test-image  builds the container image and fires a schedule through it (needs root)"
	@echo "make docs    writes the parts of docs/ that the program knows"
	@echo "make deps    installs what the above need (Debian's packages; needs root or sudo)"
	@echo "make clean   removes build/"

deps:
	@tests/deps.sh $(TEST_PACKAGES)
deps-build:
	@tests/deps.sh $(BUILD_PACKAGES)
deps-bench:
	@tests/deps.sh $(BENCH_PACKAGES)
deps-fuzz:
	@tests/deps.sh $(FUZZ_PACKAGES)

# A user's compiler may know warnings that ours does not; they must not stop him. The tests keep -Werror.
build/release/build.ninja: | deps-build
	@meson setup build/release --buildtype=release -Db_lto=true -Dwerror=false -Dtests=false >/dev/null

build: deps-build build/release/build.ninja
	@ninja -C build/release carillon

run: build
	@mkdir -p build/run
	@CARILLON_DATABASE_URL=$${CARILLON_DATABASE_URL:-sqlite:build/run/carillon.db} \
	 CARILLON_HISTORY_URL=$${CARILLON_HISTORY_URL:-sqlite:build/run/history.db} \
	 exec build/release/carillon serve

test: deps
	@$(PYTHON) tests/run.py test

lint: deps
	@$(PYTHON) tests/run.py lint

bench: deps-bench build
	@ninja -C build/release
	@$(PYTHON) bench/run.py
	@$(PYTHON) bench/next_times.py
	@$(PYTHON) bench/scale.py

fuzz: deps-fuzz
	@FUZZ_SECONDS=$(FUZZ_SECONDS) $(PYTHON) tests/run.py fuzz

docs: build
	@$(PYTHON) docs/generate.py
	@$(PYTHON) deploy/monitoring/board.py

deb:
	@tests/deps.sh $(DEB_PACKAGES)
	@deploy/deb.sh

test-deb:
	@tests/deps.sh $(DEB_TEST_PACKAGES)
	@$(PYTHON) tests/run.py deb

test-image:
	@tests/deps.sh $(IMAGE_TEST_PACKAGES)
	@$(PYTHON) tests/run.py image

clean:
	rm -rf build
