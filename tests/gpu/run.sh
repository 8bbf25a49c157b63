#!/usr/bin/env bash
# Everything that needs a GPU, on a bare machine with CUDA 13, CMake, a C++20 compiler and Python with PyTorch.
#
#   tests/gpu/run.sh [STAGE ...]      all stages when none is named; each takes less than nine minutes
#
#   build       limoe_kernel_tests and limoe_device_bench by nvcc for ARCH, and where the system has all packages limoe
#               and limoe_tests
#   kernels     the report of registers and spills; every test of kernels and ops with --require-gpu, LIMOE_GUARD=1
#   models      the whole tiny LIMoE against PyTorch's numbers, f32 and bf16, with --require-gpu
#   memcheck racecheck synccheck      compute-sanitizer over the tests of kernels
#   train       the emoji config in fp32 and in bf16 (needs DATA, which `limoe data emoji` makes elsewhere)
#   ops         every op checked against the CPU and timed, f32 and bf16, at the shapes of an S/32 and a B/16
#   vendor      the same with products by cuBLASLt, attention and LayerNorm by cuDNN
#   torch       the same ops in PyTorch, and the table of ratios of what the two stages before left
#   bench       the training step of the emoji and w384 configs in fp32 and bf16
#
#   OUT         folder for results, as JSON and text            [gpu-results]
#   BUILD       folder of the build                             [build-gpu]
#   ARCH        what nvcc builds for                            [90a-real]
#   HEADERS     a folder with Eigen/, nlohmann/ and doctest/ where the system has none; then models, train and bench, which
#               need all packages, say that they are left out
#   DATA        folder of the emoji data                        [data-sets/emoji]
#   PYTHON      a Python with PyTorch                           [python3]
#   OPS         ops or passes that ops and vendor time, as in "linear attention/forward"; all when empty
#
# A stage that fails or takes longer is reported and the next one runs; the exit status is 1 if any failed.
set -uo pipefail
cd "$(dirname "$0")/../.."
OUT=${OUT:-gpu-results}
BUILD=${BUILD:-build-gpu}
ARCH=${ARCH:-90a-real}
DATA=${DATA:-data-sets/emoji}
PYTHON=${PYTHON:-python3}
read -ra CHOSEN <<<"${OPS:-}"
LIMIT=530 # seconds of a stage
STAGES=(build kernels models memcheck racecheck synccheck train ops vendor torch bench)
mkdir -p "$OUT"
failed=()

build() {
  local arguments=(-S . -B "$BUILD" -DGPU=cuda "-DCMAKE_CUDA_ARCHITECTURES=$ARCH")
  [ -n "${HEADERS:-}" ] && arguments+=(-DKERNELS_ONLY=ON "-DHEADERS=$(realpath "$HEADERS")")
  command -v ninja >/dev/null && arguments+=(-G Ninja)
  cmake "${arguments[@]}" && cmake --build "$BUILD" -j "$(nproc)" --target limoe_kernel_tests limoe_device_bench &&
    { [ -n "${HEADERS:-}" ] || cmake --build "$BUILD" -j "$(nproc)" --target limoe limoe_tests; }
}

kernels() {
  tests/gpu/report_kernels.py --arch "sm_${ARCH%-*}" --out "$OUT/kernels.md" || return 1
  LIMOE_GUARD=1 "$BUILD/limoe_kernel_tests" --require-gpu --reporters=console,junit --out="$OUT/kernel_tests.xml" &&
    "$BUILD/limoe_kernel_tests" --require-gpu
}

# True, with a word, where only kernels were built.
left_out() { [ -n "${HEADERS:-}" ] && echo "left out: only kernels were built, because HEADERS is set"; }

models() { left_out || "$BUILD/limoe_tests" --require-gpu --source-file='*device_*'; }

# Shares of the test cases beside each other: one process after another takes longer than a stage may.
SHARES=16
sanitizer() {
  local share processes=() failed=0 each
  each=$((($("$BUILD/limoe_kernel_tests" -tc='*device*' --count | sed -n 's/.*: *//p' | tail -1) + SHARES - 1) / SHARES))
  [ "$each" -gt 0 ] || { echo "$1: limoe_kernel_tests names no tests of devices; expected some" >&2; return 1; }
  for ((share = 0; share < SHARES; ++share)); do
    compute-sanitizer --tool "$1" --error-exitcode 1 --log-file "$OUT/$1-$share.log" "$BUILD/limoe_kernel_tests" \
      --require-gpu -tc='*device*' --first=$((share * each + 1)) --last=$((share * each + each)) \
      >"$OUT/$1-$share.out" 2>&1 &
    processes+=($!)
  done
  for share in "${!processes[@]}"; do
    wait "${processes[share]}" && continue
    failed=1
    tail -n 20 "$OUT/$1-$share.out" "$OUT/$1-$share.log"
  done
  grep -h SUMMARY "$OUT/$1"-*.log | sort | uniq -c
  rm -f "$OUT/$1"-*.out
  return $failed
}
memcheck() { sanitizer memcheck; }
racecheck() { sanitizer racecheck; }
synccheck() { sanitizer synccheck; }

train() {
  left_out && return
  local precision
  for precision in fp32 bf16; do
    "$BUILD/limoe" train --config configs/emoji.toml --train-data "$DATA/train" --device cuda --precision $precision \
      --out "$OUT/emoji-$precision" --overwrite || return 1
  done
}

# Tiny shapes with odd edges first: they are checked alone.
ops() {
  "$BUILD/limoe_device_bench" "${CHOSEN[@]}" --dry &&
    "$BUILD/limoe_device_bench" "${CHOSEN[@]}" --by own --json "$OUT/ops-own.json"
}
vendor() {
  local them=("${CHOSEN[@]}")
  [ ${#them[@]} -eq 0 ] && them=(linear attention layer_norm)
  "$BUILD/limoe_device_bench" "${them[@]}" --by vendor --dry &&
    "$BUILD/limoe_device_bench" "${them[@]}" --by vendor --json "$OUT/ops-vendor.json"
}
torch() {
  local others=()
  [ -f "$OUT/ops-vendor.json" ] && others=(--vendor "$OUT/ops-vendor.json")
  "$PYTHON" bench/peers/gpu_ops.py --own "$OUT/ops-own.json" "${others[@]}" --out "$OUT/ops"
}

bench() {
  left_out && return
  local config precision
  for config in configs/emoji.toml bench/peers/w384.toml; do
    for precision in fp32 bf16; do
      "$BUILD/limoe" bench step --config $config --device cuda --precision $precision \
        --json "$OUT/step-$(basename $config .toml)-$precision.json" || return 1
    done
  done
}

# A stage runs in a process of its own, so that it can be stopped.
if [ -n "${STAGE_ITSELF:-}" ]; then
  "$1"
  exit
fi
for stage in "${@:-${STAGES[@]}}"; do
  case " ${STAGES[*]} " in *" $stage "*) ;; *)
    echo "run.sh: \"$stage\" is unknown; expected one of: ${STAGES[*]}" >&2
    exit 2 ;;
  esac
  echo "== $stage"
  begin=$(date +%s)
  if STAGE_ITSELF=1 timeout "$LIMIT" tests/gpu/run.sh "$stage" 2>&1 | tee "$OUT/$stage.log"; then result=passed; else result=failed failed+=("$stage"); fi
  echo "== $stage: $result in $(($(date +%s) - begin)) s"
done

{
  echo "{"
  echo "  \"gpu\": \"$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1)\","
  echo "  \"date\": \"$(date -u +%F)\","
  echo "  \"commit\": \"$(git rev-parse HEAD 2>/dev/null)\","
  echo "  \"failed\": [$(printf '"%s",' "${failed[@]:-}" | sed 's/,$//; s/""//')]"
  echo "}"
} >"$OUT/summary.json"
cat "$OUT/summary.json"
[ ${#failed[@]} -eq 0 ]
