#!/usr/bin/env bash
# Opens a report in a headless browser: is every drawing in the DOM, and is there something to see?
#   page_test.sh REPORT.html        exits 77 where no chromium is installed
set -euo pipefail

page=$(realpath "${1:?usage: page_test.sh REPORT.html}")
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [[ -z $browser ]]; then
  echo "skipped: no chromium here; apt-get install chromium"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }
chromium() {  # a profile of its own; the browser's chatter only where it fails
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$folder/profile" "$@" \
    2>"$folder/log" ||
    { cat "$folder/log" >&2; fail "$browser does not run"; }
}
count() { { grep -oF -- "$2" "$1" || true; } | wc -l; }

# The DOM holds what the file holds: a browser that has to repair the page would move or drop elements.
chromium --dump-dom "file://$page" >"$folder/dom.html"
for what in '<svg' '<figure class="chart' '<figure class="network' '<path class="line"' \
  '<path class="band"' '<table' '<tr>' '<details'; do
  in_file=$(count "$page" "$what") in_dom=$(count "$folder/dom.html" "$what")
  [[ $in_file == "$in_dom" ]] || fail "$in_file times $what in the file, $in_dom times in the DOM"
done
[[ $(count "$folder/dom.html" '<figure class="chart') -ge 1 ]] || fail "no chart"
[[ $(count "$folder/dom.html" '<figure class="network') -ge 1 ]] || fail "no network"

# At a desk and in a narrow window: a PNG of the size asked for, not tiny.
for width in 1200 600; do
  shot=$folder/$width.png
  chromium --screenshot="$shot" --window-size=$width,2400 "file://$page" >/dev/null
  [[ $(head -c 8 "$shot" | od -An -tx1 | tr -d ' \n') == 89504e470d0a1a0a ]] || fail "no PNG at $width px"
  seen=$((16#$(od -An -tx1 -j16 -N4 "$shot" | tr -d ' \n')))
  [[ $seen == "$width" ]] || fail "PNG $seen px wide instead of $width"
  [[ $(stat -c %s "$shot") -gt 20000 ]] || fail "the picture at $width px is almost empty"

  # Colours are counted by the browser: the picture goes into a page of its own, inline, and from there onto a canvas.
  cat >"$folder/colours.html" <<HTML
<body><img id="shot" src="data:image/png;base64,$(base64 -w0 "$shot")"/><p id="result">waiting</p><script>
onload = () => {
  const image = document.getElementById("shot"), canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth, canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  document.getElementById("result").textContent = "colours=" + new Set(pixels).size + ".";
};
</script></body>
HTML
  colours=$(chromium --virtual-time-budget=10000 --dump-dom "file://$folder/colours.html" |
    grep -oE 'colours=[0-9]+' | tail -n1 | cut -d= -f2)
  [[ ${colours:-0} -gt 50 ]] || fail "only ${colours:-0} colours at $width px"
  echo "$width px: $colours colours, $(stat -c %s "$shot") bytes"
done
echo "passed: $(count "$folder/dom.html" '<figure class="chart') charts," \
  "$(count "$folder/dom.html" '<figure class="network') networks"
