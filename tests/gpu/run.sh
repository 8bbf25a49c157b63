#!/usr/bin/env bash
# Everything that needs a GPU, on a bare machine with CUDA 13, CMake, a C++20 compiler and Python with PyTorch.
#
#   tests/gpu/run.sh [STAGE ...]      all stages when none is named; each takes less than nine minutes
#
#   build       limoe_kernel_tests by nvcc for ARCH, and where the system has all packages limoe and limoe_tests
#   kernels     the report of registers and spills; every test of kernels and ops with --require-gpu, LIMOE_GUARD=1
#   models      the whole tiny LIMoE against PyTorch's numbers, f32 and bf16, with --require-gpu
#   memcheck racecheck synccheck      compute-sanitizer over the tests of kernels
#   train       the emoji config in fp32 and in bf16 (needs DATA, which `limoe data emoji` makes elsewhere)
#   bench       the training step of the emoji and w384 configs in fp32 and bf16
#
#   OUT         folder for results, as JSON and text            [gpu-results]
#   BUILD       folder of the build                             [build-gpu]
#   ARCH        what nvcc builds for                            [90a-real]
#   HEADERS     a folder with Eigen/, nlohmann/ and doctest/ where the system has none; then models, train and bench, which
#               need all packages, say that they are left out
#   DATA        folder of the emoji data                        [data-sets/emoji]
#
# A stage that fails is reported and the next one runs; the exit status is 1 if any failed.
set -uo pipefail
cd "$(dirname "$0")/../.."
OUT=${OUT:-gpu-results}
BUILD=${BUILD:-build-gpu}
ARCH=${ARCH:-90a-real}
DATA=${DATA:-data-sets/emoji}
STAGES=(build kernels models memcheck racecheck synccheck train bench)
mkdir -p "$OUT"
failed=()

build() {
  local arguments=(-S . -B "$BUILD" -DGPU=cuda "-DCMAKE_CUDA_ARCHITECTURES=$ARCH")
  [ -n "${HEADERS:-}" ] && arguments+=(-DKERNELS_ONLY=ON "-DHEADERS=$(realpath "$HEADERS")")
  command -v ninja >/dev/null && arguments+=(-G Ninja)
  cmake "${arguments[@]}" && cmake --build "$BUILD" -j "$(nproc)" --target limoe_kernel_tests &&
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

sanitizer() { compute-sanitizer --tool "$1" --error-exitcode 1 --log-file "$OUT/$1.log" "$BUILD/limoe_kernel_tests" --require-gpu -tc='*device*'; }
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

for stage in "${@:-${STAGES[@]}}"; do
  case " ${STAGES[*]} " in *" $stage "*) ;; *)
    echo "run.sh: \"$stage\" is unknown; expected one of: ${STAGES[*]}" >&2
    exit 2 ;;
  esac
  echo "== $stage"
  begin=$(date +%s)
  if $stage 2>&1 | tee "$OUT/$stage.log"; then result=passed; else result=failed failed+=("$stage"); fi
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
