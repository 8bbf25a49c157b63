#!/bin/sh
# limoe against what one would use instead, on this machine: builds, installs the peers, checks that both sides
# compute the same, times them in turns, and writes tables and JSON into bench/results/.
#
#   bench/peers/run.sh [step] [gemm] [ops]     all three when nothing is named
#
#   PEERS_VENV    folder of the virtual environment with PyTorch [build/peers-venv]
#   BUILD         folder of the build [build]
#   THREADS       thread counts to measure the step and products at ["1 2"]
#   ROUNDS        how often the sides take turns [7]
#
# pip's own settings apply: PIP_INDEX_URL may name a place that has the smaller build of torch for CPUs alone.
# Leave the machine alone meanwhile: two threads on two busy processors measure the other processes.
set -eu
cd "$(dirname "$0")/../.."
VENV=${PEERS_VENV:-build/peers-venv}
BUILD=${BUILD:-build}
ROUNDS=${ROUNDS:-7}
what=${*:-step gemm ops}
for one in $what; do
  case $one in step | gemm | ops) ;; *)
    echo "bench/peers/run.sh: \"$one\" is unknown; expected step, gemm or ops" >&2
    exit 2 ;;
  esac
done

cmake -S . -B "$BUILD" -G Ninja >/dev/null
cmake --build "$BUILD" --target limoe limoe_bench -j "$(nproc)"
if [ ! -x "$VENV/bin/python" ]; then
  python3 -m venv "$VENV"
  "$VENV/bin/pip" install --quiet torch numpy
fi

for one in $what; do
  case $one in
    step)
      "$VENV/bin/python" bench/peers/step.py --limoe "$BUILD/limoe" --threads ${THREADS:-1 2} --rounds "$ROUNDS"
      ;;
    gemm)
      cmake --build "$BUILD" --target limoe_gemm_peers -j "$(nproc)"
      "$VENV/bin/python" bench/peers/gemm.py --program "$BUILD/limoe_gemm_peers" --threads ${THREADS:-1 2} --rounds "$ROUNDS"
      ;;
    ops)
      "$VENV/bin/python" bench/peers/ops.py --build "$BUILD" --rounds "$ROUNDS"
      ;;
  esac
done
