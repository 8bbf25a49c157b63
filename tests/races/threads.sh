#!/bin/sh
# The tests of what runs on several threads, under ThreadSanitizer: the pool, the allocator, the loader, training, serving. By
# hand, as it is a build of its own; a race ends it with status 66.
#
#   tests/races/threads.sh                    all of them
#   tests/races/threads.sh parallel loader    these two files
#
# Settings from the environment: BUILD (build-races), JOBS (all processors).
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build-races}
[ $# -gt 0 ] || set -- parallel host_slabs caching_allocator loader loader_faults slow_stage emoji accumulate optimizer trainer fewshot \
  serve serve_site
cmake -S . -B "$BUILD" -G Ninja -DSANITIZE=thread > /dev/null
cmake --build "$BUILD" -j "${JOBS:-$(nproc)}" --target limoe_tests
files=
for name in "$@"; do files="$files*/${name}_test.cpp,"; done
"$BUILD/limoe_tests" --source-file="${files%,}"
