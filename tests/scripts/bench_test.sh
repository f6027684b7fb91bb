#!/usr/bin/env bash
# bench_test.sh PROGRAM SOURCE_DIR: every case of the benchmark runs, at sizes that say nothing of speed, on each device of ORRERY_TEST_DEVICES;
# and every kernel that has a CUDA side has a case.
set -u
program=$1 source=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export ORRERY_BENCH_SIZE=small OMP_WAIT_POLICY=passive
failed=0
fail() { failed=$((failed + 1)); echo "FAILED: $*"; }

for device in $(tr ',' ' ' <<<"${ORRERY_TEST_DEVICES:-cpu}"); do
  ORRERY_BENCH_DEVICE=$device "$program" --benchmark_min_time=0.0001 --benchmark_out="$folder/$device.json" --benchmark_out_format=json \
    >"$folder/said" 2>&1 || fail "$device: exit status $?: $(tail -1 "$folder/said")"
  python3 - "$folder/$device.json" <<'END' || fail "$device: see above"
import json, sys
r = json.load(open(sys.argv[1]))
cases, wrong = r["benchmarks"], []
wrong += [f"{c['name']}: {c['error_message']}" for c in cases if c.get("error_occurred")]
wrong += [f"{c['name']}: no time or no floor" for c in cases if not c.get("error_occurred") and not (c["real_time"] > 0 and c["floor_us"] > 0)]
names = [c["name"] for c in cases]
wrong += [f"{n}: twice" for n in set(names) if names.count(n) > 1]
wrong += [f"{goal}: no case" for goal in ("S1/", "S2/", "S4/", "S8/", "S9/", "S10/", "S11/") if not any(n.startswith(goal) for n in names)]
wrong += [] if float(r["context"]["copy_GB_per_s"]) > 0 and float(r["context"]["gemm_GFLOP_per_s"]) > 0 else ["no roofs in the same call"]
print("\n".join(wrong))
sys.exit(len(wrong) > 0 or len(cases) < 100)
END
done

# out of time: every case says so
ORRERY_BENCH_SECONDS=0 "$program" --benchmark_filter=decay >"$folder/said" 2>&1
grep -q 'time is up' "$folder/said" || fail "a benchmark without time"
code=0
ORRERY_BENCH_PRECISION=half "$program" >"$folder/said" 2>&1 || code=$?
[ "$code" -eq 2 ] && grep -qx 'orrery_bench: ORRERY_BENCH_PRECISION is "half"; known: fp32, tf32, bf16' "$folder/said" || fail "an unknown precision"

# compressors are timed through what binds them to a bank
for kernel in "$source"/kernels/*_cuda.*; do
  name=$(basename "$kernel")
  name=${name%_cuda.*}
  users=("$source"/bench/*.[ch]pp)
  [[ $name != compress_* ]] || users=("$source"/runtime/compression/*.[ch]pp)
  grep -qE "\"kernels/$name(_host)?\.hpp\"" "${users[@]}" || fail "kernels/$name.hpp has no case"
done
[ "$failed" -eq 0 ] && echo "1 passed, 0 failed"
