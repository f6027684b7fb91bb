#!/usr/bin/env bash
# The files below experiments/, each run as its reader would.   experiments_test.sh PROGRAM SOURCE_DIR check|short|NAME [options of run]
#   check  every file is valid and can be planned; real data are replaced by glyphs, which need no files
#   short  every file runs for 32 steps with one replica and writes its expectations
#   NAME   that file, with what must be seen required (exit code 6 where it is not)
set -euo pipefail
program=$1 source=$2 mode=$3
shift 3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
unset ORRERY_DATA

names() { (cd "$source/experiments" && find . -name '*.toml' | sed 's|^\./||; s|\.toml$||' | sort); }
stand_in() {  # options that replace real data
  if grep -Eq '^name = "(mnist|emnist|fashion-mnist)"' "$source/experiments/$1.toml"; then
    echo --set 'data={name="glyphs",train=2000,test=200}'
  elif grep -q '^name = "libsvm"' "$source/experiments/$1.toml"; then
    echo --set 'data={name="gaussian-mixture",classes=2,dimension=60,train=2000,test=200}'
  fi
}
shorter() {  # at most 32 steps; drops lie past them; few probes say as much there
  if [ "$(sed -n 's/^steps = //p' "$1")" -gt 32 ]; then echo --set steps=32; fi
  if grep -q 'drops = ' "$1"; then echo --set algorithm.learning_rate=0.05; fi
  if grep -q '^\[record.hessian\]' "$1"; then echo --set record.hessian.probes=4 --set record.hessian.lanczos_steps=4; fi
}
failed=0 seen=0
for name in $(names); do
  file=$source/experiments/$name.toml
  case $mode in
    check) "$program" --threads 1 check "$file" $(stand_in "$name") >log 2>&1 || { cat log; failed=1; } ;;
    short)
      out=$folder/$seen
      "$program" --threads 1 run "$file" --quiet --out "$out" $(stand_in "$name") $(shorter "$file") --set replicas=1 >log 2>&1 || { cat log; failed=1; }
      if grep -q '^\[expect\]' "$file"; then
        grep -q '"expectations"' "$out/summary.json" || { echo "$name: no expectations in summary.json"; failed=1; }
        grep -q 'Expected beside measured' "$out/report.html" || { echo "$name: no expectations in report.html"; failed=1; }
      fi
      rm -rf "$out"
      ;;
    "$name") "$program" --threads 1 run "$file" --require-expectations --out out "$@" 2>log || { failed=1; tail -n 3 log; } ;;
    *) continue ;;
  esac
  seen=$((seen + 1))
done
[ "$seen" -gt 0 ] || { echo "no experiment $mode"; exit 1; }
echo "$seen files"
exit "$failed"
