#!/usr/bin/env bash
# Builds the fuzz targets and runs them; ends with status 1 when one of them has found something.
#
#   tests/fuzz/run.sh 60                   every target for 60 seconds
#   tests/fuzz/run.sh 60 png tar           these two
#   tests/fuzz/run.sh 1000000r config      a million executions of one
#
# Settings from the environment: BUILD (build-fuzz), FOUND (build-fuzz/found: new inputs, kept for the next run, and what
# made a target fail), JOBS (2 targets at a time), CXX (clang++-14), LARGEST (bytes of an input; what libFuzzer takes),
# SEED (of libFuzzer's random numbers; another one each time), COMPARISONS (OFF: libFuzzer learns nothing from them and is
# faster), OPTIONS (more of libFuzzer's).
set -euo pipefail
cd "$(dirname "$0")/../.."

[ $# -ge 1 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2; }
amount=$1; shift
BUILD=${BUILD:-build-fuzz}
FOUND=${FOUND:-$BUILD/found}
case $amount in
  *r) limit=-runs=${amount%r} ;;
  *) limit=-max_total_time=$amount ;;
esac

if [ $# -eq 0 ]; then
  for source in tests/fuzz/*_fuzz.cpp; do name=${source##*/}; set -- "$@" "${name%_fuzz.cpp}"; done
fi
cmake -S . -B "$BUILD" -G Ninja -DFUZZ=ON -DFUZZ_COMPARISONS="${COMPARISONS:-ON}" -DCMAKE_CXX_COMPILER="${CXX:-clang++-14}" > /dev/null
cmake --build "$BUILD" -j "${JOBS:-2}" --target "${@/%/_fuzz}" > "$BUILD/fuzz-build.log" || { tail -n 40 "$BUILD/fuzz-build.log"; exit 1; }
mkdir -p "$FOUND"

run_one() {
  local name=$1 log="$FOUND/$1.log" options=()
  mkdir -p "$FOUND/$name"
  SCRATCH=$(mktemp -d -p "$(test -d /dev/shm && echo /dev/shm || echo /tmp)" limoe-fuzz-XXXXXX)
  export SCRATCH
  [ -f "tests/fuzz/$name.dict" ] && options+=("-dict=tests/fuzz/$name.dict")
  # shellcheck disable=SC2206  # several options, parted by blanks
  options+=(${OPTIONS:-})
  [ -n "${LARGEST:-}" ] && options+=("-max_len=$LARGEST")
  [ -n "${SEED:-}" ] && options+=("-seed=$SEED")
  # One allocation above 64 MB is stopped here; the sum of them is what the targets watch themselves.
  "$BUILD/tests/fuzz/${name}_fuzz" "$limit" "${options[@]}" -malloc_limit_mb=64 -timeout=25 -print_final_stats=1 \
    -artifact_prefix="$FOUND/$name." "$FOUND/$name" "tests/fuzz/corpus/$name" > "$log" 2>&1 || echo "status $?" >> "$log"
  rm -rf "$SCRATCH"
  local runs rate coverage found=none
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
  coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -c6-)
  if grep -q '^status' "$log"; then
    found=$(grep -m 1 -oE 'FINDING:.*|runtime error:.*|ERROR: [A-Za-z]*: .*|terminate called.*' "$log" | cut -c1-90 || true)
    found=${found:-see $log}
    touch "$FOUND/failed"
  fi
  printf '%-16s %12s %9s %9s  %s\n' "$name" "${runs:-?}" "${rate:-?}" "${coverage:-?}" "$found"
}
export -f run_one
# Inputs are small, so freed memory is watched long enough in 16 MB, which stay in the cache.
export ASAN_OPTIONS=${ASAN_OPTIONS:-malloc_context_size=4:quarantine_size_mb=16}
export BUILD FOUND limit LARGEST SEED OPTIONS

rm -f "$FOUND/failed"
printf '%-16s %12s %9s %9s  %s\n' target executions per-sec. coverage finding
printf '%s\n' "$@" | xargs -P "${JOBS:-2}" -I{} bash -c 'run_one {}'
[ ! -e "$FOUND/failed" ]
