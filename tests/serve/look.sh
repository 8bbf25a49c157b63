#!/bin/sh
# Pictures of the page of `limoe serve`, to be looked at: by hand, not part of the suite. Needs Chromium.
#
#   tests/serve/look.sh build/limoe RUN OUT [flags of limoe serve]
set -eu
[ $# -ge 3 ] || { sed -n '2,4s/^# *//p' "$0" >&2; exit 2; }
limoe=$1 run=$2 out=$3
shift 3
mkdir -p "$out"
"$limoe" serve "$run" --port 0 "$@" > "$out/serve.txt" &
server=$!
trap 'kill -INT $server 2> /dev/null || true' EXIT
until url=$(grep -o 'http://[^ ]*/' "$out/serve.txt"); do
  kill -0 $server || exit 1
  sleep 0.5
done

# look NAME WIDTH HEIGHT dark|light FRAGMENT
look() {
  scheme=1
  [ "$4" = dark ] && scheme=0
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size="$2,$3" \
    --blink-settings=preferredColorScheme=$scheme --virtual-time-budget=6000 --user-data-dir="$out/.profile" \
    --screenshot="$out/$1.png" "$url#$5" > "$out/$1.log" 2>&1 || { cat "$out/$1.log"; exit 1; }
  echo "$out/$1.png"
}
look light 1200 900 light 'q=red+heart&hover=0&layer=1'
look dark 1200 900 dark 'q=red+heart&hover=0&layer=3'
look expert 1200 1000 light 'q=smiling+cat&layer=3&expert=1'
look tint-all 1200 900 dark 'q=flag&tint=all'
look narrow 500 1000 light 'q=red+heart&hover=1'
look narrow-dark 500 1000 dark 'q=woman+running&expert=2'
look empty 1200 700 light ''
look emoji 1200 700 light 'q=%F0%9F%92%9C+%D0%BA%D0%BE%D1%82'
look long 1200 700 light "q=$(head -c 10000 /dev/zero | tr '\0' 'a')"
rm -rf "$out/.profile"
