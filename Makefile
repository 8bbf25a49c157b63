# The commands of the README, and make fuzz; each is complete by itself on a fresh Debian 12:
#
#   make quickstart   install what is missing, build, make the emoji data, train a LIMoE, leave a report
#   make test         install what is missing, build plainly and under sanitizers, run every test in both
#   make portable     install what is missing, build limoe for every x86-64 machine into build-portable
#   make bench        the same for google-benchmark, then every op timed and held against the machine's limits
#   make fuzz         the same for clang, then every parser for a minute on damaged input
#
# With the packages installed, plain CMake works as well: cmake -B build && cmake --build build

# For `make bench` and bench/peers/run.sh alone.
BENCH_PACKAGES := libbenchmark-dev libdnnl-dev libopenblas-dev valgrind python3-venv

PACKAGES := build-essential cmake ninja-build pkg-config \
	libeigen3-dev doctest-dev nlohmann-json3-dev libcli11-dev libcpp-httplib-dev \
	libpng-dev libjpeg62-turbo-dev libwebp-dev libstb-dev zlib1g-dev libsentencepiece-dev \
	libfreetype-dev libharfbuzz-dev fonts-noto-color-emoji \
	unicode-cldr-core unicode-data dataset-fashion-mnist

NVCC := $(firstword $(shell command -v nvcc) $(wildcard /usr/local/cuda/bin/nvcc))
CUDA := $(if $(NVCC),$(shell $(NVCC) --version | sed -n 's/.*release \([0-9]*\)\..*/\1/p'))
SUDO := $(if $(filter-out 0,$(shell id -u)),sudo)
JOBS := $(shell nproc)
RUN  := runs/emoji
DATA := data-sets/emoji

.PHONY: all packages build portable quickstart test bench fuzz clean

all: build

# Only what is missing, so that nothing is asked of the network on a machine that has it all.
packages:
	@missing="$$(for p in $(PACKAGES); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done)"; \
	if [ -n "$$missing" ]; then \
	  echo "installing:" $$missing; \
	  $(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; \
	fi

build: packages
	cmake -S . -B build -G Ninja
	cmake --build build --target limoe -j $(JOBS)

# One program with three levels, the highest that a machine has taken when it starts (docs/portable.md).
portable: packages
	cmake -S . -B build-portable -G Ninja -DPORTABLE=ON
	cmake --build build-portable --target limoe -j $(JOBS)

quickstart: build
	@test -d $(DATA) || build/limoe data emoji --out $(DATA)
	build/limoe train --config configs/emoji.toml --train-data $(DATA)/train --out $(RUN) --overwrite
	@echo
	@echo "Look: $(RUN)/report.html"
	@echo "Try:  build/limoe search $(RUN) --images $(DATA)/train \"a red heart\""

test: packages
	cmake -S . -B build -G Ninja
	cmake --build build -j $(JOBS)
	cd build && ctest --output-on-failure --no-tests=error -j $(JOBS)
	cmake -S . -B build-sanitize -G Ninja -DSANITIZE=address,undefined
	cmake --build build-sanitize -j $(JOBS)
	cd build-sanitize && ctest --output-on-failure --no-tests=error -j $(JOBS)
	@if [ "$(or $(CUDA),0)" -ge 12 ]; then \
	  cmake -S . -B build-nvcc -G Ninja -DGPU=cuda -DKERNELS_ONLY=ON -DCMAKE_CUDA_COMPILER=$(NVCC) && \
	  cmake --build build-nvcc --target limoe_cuda limoe_ladder -j $(JOBS); \
	else echo "no nvcc of CUDA 12 or newer: the kernels were tested in the simulator and not built for a GPU"; fi

bench: PACKAGES += $(BENCH_PACKAGES)
bench: build
	cmake --build build --target limoe_bench -j $(JOBS)
	build/limoe bench

# Every parser for a minute on damaged input; tests/fuzz/run.sh runs longer.
FUZZ_SECONDS := 60
FUZZ_TARGETS :=
fuzz: PACKAGES += clang-14 libclang-rt-14-dev
fuzz: packages
	tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_TARGETS)

clean:
	rm -rf build build-portable build-sanitize build-fuzz build-nvcc
