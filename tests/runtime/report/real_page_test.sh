#!/usr/bin/env bash
# real_page_test.sh PROGRAM EXPERIMENT PAGE_TEST: runs a small version of the experiment and looks at its report.html in a browser.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" run "$2" --quiet --out "$folder/run" --device cpu --set data.name=glyphs --set data.train=2000 --set data.test=500 --set steps=100
"$3" "$folder/run/report.html"
