#!/usr/bin/env bash
# real_page_test.sh PROGRAM EXPERIMENT PAGE_TEST: runs a small version of the experiment and looks at its report.html in a browser.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" run "$2" --quiet --out "$folder/run" --device cpu --set data.name=glyphs --set data.train=2000 --set data.test=500 --set steps=300
# the sandwich: H-SGD ends between local SGD with the short and the long period, in every replica's mean
awk -F, 'NR > 1 { if (split($0, q, "\"") == 3) { arm = q[2]; split(q[3], f, ","); step = f[3]; loss = f[4] }
                  else { arm = $1; step = $3; loss = $4 }
                  if (step == 300) { sum[arm] += loss; ++n } }
         END { a = sum["local SGD, P = 5"]; b = sum["H-SGD, G = 50, I = 5"]; c = sum["local SGD, P = 50"]
               if (n != 9 || !(a < b && b < c)) { print "no sandwich:", a, b, c, n; exit 1 } }' "$folder/run/metrics.csv"
"$3" "$folder/run/report.html"
