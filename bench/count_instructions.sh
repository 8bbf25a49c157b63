#!/bin/sh
# How many instructions a training step of the quickstart's model takes on one thread, by callgrind: a figure that does
# not depend on what else the machine does, so that two commits can be compared by it.
#
#   bench/count_instructions.sh [OUT]     prints the figure and the functions it goes to, and writes both to
#                                         OUT [bench/results/instructions.txt]
#
#   BUILD    folder of a build of its own [build-callgrind]: for x86-64-v3, because valgrind knows no AVX-512
#   PAIRS    batch size [64]
#
# The program is run with one step and with three; what the two more steps took, halved, is the figure. So neither
# the start of the program nor the making of the model counts.
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build-callgrind}
PAIRS=${PAIRS:-64}
out=${1:-bench/results/instructions.txt}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cmake -S . -B "$BUILD" -G Ninja -DMARCH=x86-64-v3 >/dev/null
cmake --build "$BUILD" --target limoe -j "$(nproc)"

count() { # STEPS -> instructions of the whole program; leaves $scratch/STEPS.out
  LIMOE_THREADS=1 valgrind --tool=callgrind --callgrind-out-file="$scratch/$1.out" "$BUILD/limoe" bench step \
    --config configs/emoji.toml --batch-size "$PAIRS" --threads 1 --warmup 0 --steps "$1" >"$scratch/$1.txt" 2>&1 || {
    cat "$scratch/$1.txt" >&2
    exit 1
  }
  sed -n 's/^summary: *\([0-9]*\).*/\1/p; s/^totals: *\([0-9]*\).*/\1/p' "$scratch/$1.out" | head -1
}

one=$(count 1)
three=$(count 3)
{
  echo "instructions a step: $(((three - one) / 2))"
  echo "configs/emoji.toml, $PAIRS pairs, 1 thread, x86-64-v3, $(c++ --version | head -1)"
  echo "commit: $(git describe --always --dirty 2>/dev/null || echo unknown)"
  echo
  echo "of the run with three steps, the program's start included:"
  callgrind_annotate --inclusive=no --threshold=95 "$scratch/3.out" 2>/dev/null |
    sed -n 's/^ *\([0-9,]* ([ 0-9.]*%)\)  *\(.*\)$/\1  \2/p' | sed 's/ \[[^]]*\]$//' | cut -c1-160 | head -25
} | tee "$out"
