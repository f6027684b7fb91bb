#!/usr/bin/env bash
# real_page_test.sh PROGRAM EXPERIMENT PAGE_TEST: runs a small version of the experiment and looks at its report.html in a browser.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" run "$2" --quiet --out "$folder/run" --device cpu --set data.name=glyphs --set data.train=2000 --set data.test=500 --set steps=300 --set record.every=50
# the sandwich, in the mean over the replicas and at every record point after the start: the loss of H-SGD lies between those of local SGD
# with the short and with the long period
awk -F, 'NR > 1 { if (split($0, q, "\"") == 3) { arm = q[2]; split(q[3], f, ","); step = f[3]; loss = f[4] }
                  else { arm = $1; step = $3; loss = $4 }
                  if (step > 0) { sum[arm, step] += loss; steps[step] = 1; ++n } }
         END { for (t in steps) {
                 a = sum["local SGD, P = 5", t]; b = sum["H-SGD, G = 50, I = 5", t]; c = sum["local SGD, P = 50", t]
                 if (!(a < b && b < c)) { print "no sandwich at step", t ":", a, b, c; bad = 1 } }
               if (n != 54) { print n " values instead of 54"; bad = 1 }
               exit bad }' "$folder/run/metrics.csv"
"$3" "$folder/run/report.html"
