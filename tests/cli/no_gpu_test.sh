#!/usr/bin/env bash
# no_gpu_test.sh PROGRAM EXPERIMENT: a CUDA build on a machine without a GPU falls back with one sentence, and refuses device = "cuda".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" run "$2" --out "$folder/auto" >/dev/null 2>"$folder/said"
grep -qx 'orrery: no GPU answers: running on the CPU' "$folder/said"
grep -q '"device": "cpu"' "$folder/auto/summary.json"
status=0
"$1" run "$2" --out "$folder/cuda" --device cuda 2>"$folder/said" || status=$?
[ "$status" -eq 4 ]
[ ! -e "$folder/cuda" ]
grep -q 'no such GPU' "$folder/said"
echo "1 passed, 0 failed"
