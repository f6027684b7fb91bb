#!/usr/bin/env bash
# gpu_check_test.sh SOURCE_DIR: the order, limits, record and table of scripts/gpu-check, every tool replaced by stand_in.sh.
set -u
source=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin"
for tool in nvidia-smi nvcc g++ cmake ctest compute-sanitizer ncu python orrery orrery_bench test_kernels_one test_kernels_two; do
  ln -s "$source/tests/scripts/stand_in.sh" "$folder/bin/$tool"
done
export PATH=$folder/bin:$PATH STAND_IN_FOLDER=$folder/bin ORRERY_REVISION=abc1234
unset OUT

passed=0 failed=0
says() {  # says WHAT COMMAND...: one case
  local what=$1
  shift
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $what"; fi
}
check() {  # check NAME OPTIONS...: a gpu-check of its own; its exit status in $code
  out=$folder/$1
  shift
  : >"$folder/bin/calls"
  code=0
  "$source/scripts/gpu-check" "$out" --build "$out/build" --python "$folder/bin/python" "$@" >"$folder/said" 2>&1 || code=$?
}
holds() {  # holds EXPRESSION of r, the record, and stage, its stages by name
  python3 - "$out/gpu-check.json" "$1" <<'END'
import json, sys
r = json.load(open(sys.argv[1]))
stage = {s["name"]: s for s in r["stages"]}
sys.exit(0 if eval(sys.argv[2]) else 1)
END
}
in_table() { grep -qF -- "$1" "$out/gpu-check.md"; }
not() { ! "$@"; }

# ---- a machine without a GPU
STAND_IN_FAILS=nvidia-smi check none
says "no GPU: exit status 4" [ "$code" -eq 4 ]
says "no GPU: one sentence" grep -qx 'gpu-check: no NVIDIA GPU answers here (nvidia-smi said: No devices were found); nothing was built or run' "$folder/said"
says "no GPU: the record says so" holds 'r["ended"] and list(stage) == ["machine"] and stage["machine"]["status"] == "failed"'
says "no GPU: nothing was built" not grep -q -- '--preset' "$folder/bin/calls"
says "no GPU: so does the table" in_table 'no NVIDIA GPU answers here'

STAND_IN_FAILS=nvidia-smi check build_only --architecture 90
says "no GPU, an architecture: built" holds 'list(stage) == ["machine", "configure", "build"] and stage["build"]["status"] == "passed"'
says "no GPU, an architecture: exit status 4" [ "$code" -eq 4 ]
says "no GPU, an architecture: one sentence" grep -qx 'gpu-check: no NVIDIA GPU answers here; it was built for 90, nothing was run' "$folder/said"

# ---- every stage
check whole
says "whole: exit status 1, for cases were not reached and a peer failed" [ "$code" -eq 1 ]
says "whole: the machine" holds 'r["machine"]["device"] == "Stand-in GPU" and r["machine"]["driver"] == "580.00" and r["machine"]["toolkit"] == "13.0.88"'
says "whole: revision, date, command" holds 'r["revision"] == "abc1234" and r["date"][:2] == "20" and "gpu-check" in r["command"]'
says "whole: the order" holds 'list(stage) == ["machine", "configure", "build", "devices", "first runs", "build tests", "tests: kernels", "tests: others",
  "memcheck", "racecheck", "synccheck", "initcheck", "rounds", "benchmarks", "peers", "profile", "tests: long"]'
says "whole: statuses" holds '{n for n, s in stage.items() if s["status"] != "passed"} == {"rounds", "benchmarks", "peers"}'
says "whole: built for the chip" grep -q -- '-DCMAKE_CUDA_ARCHITECTURES=90a' "$folder/bin/calls"
says "whole: tests" holds 'stage["tests: kernels"]["results"] == {"of": 2, "ended": 2, "passed": 2, "skipped": 0, "failed": []}'
says "whole: sanitizers" holds 'all(stage[k]["results"]["clean"] == 2 for k in ("memcheck", "racecheck", "synccheck", "initcheck"))'
says "whole: rounds in both precisions" holds '[(x["precision"], len(x["cases"])) for x in stage["rounds"]["results"]] == [("tf32", 6), ("fp32", 1)]'
says "whole: kernels" holds '[c["name"] for c in stage["benchmarks"]["results"][0]["cases"]] == ["descend"] and stage["benchmarks"]["results"][0]["copy_GB_per_s"] == 3000'
says "whole: five pairs with the best peer, one run of the others" holds 'stage["peers"]["results"]["us_per_local_step"]["S4"] == {
  "ours": [50.0] * 5, "torch": [100.0], "jax": [], "jax vmap": [90.0] * 5}'
says "whole: interleaved" [ "$(grep -A1 'filter=^S4/' "$folder/bin/calls" | cut -d' ' -f1 | tail -5 | xargs)" = "orrery_bench python -- orrery_bench python" ]
says "whole: times as fast" holds 'abs(stage["peers"]["times_as_fast"]["S4"] - 1.8) < 1e-9 and abs(stage["peers"]["times_as_fast"]["S2"] - 2) < 1e-9'
says "whole: a peer that does not train has no number" holds 'stage["peers"]["results"]["why_not"]["S4 jax"] == "its loss did not fall"'
says "whole: nor has one that fails" holds 'stage["peers"]["results"]["why_not"]["S2 jax vmap"] == "out of memory"'
says "whole: hottest kernel" holds '(lambda k: k["kernel"] == "step_kernel" and k["us"] == 30 and k["share"] == 0.75 and k["memory_percent"] == 80)(stage["profile"]["results"][0])'
says "whole: table, stages" in_table '| memcheck | passed |'
says "whole: table, rounds" in_table '| `S1/round` | 500.0 | 250.0 | 2.0 | 0.5 | 0.1 |'
says "whole: table, peers" in_table '| S4 | 50.0 (50.0 to 50.0, 5 runs) | 100.0 (100.0 to 100.0, 1 runs) |  | 90.0 (90.0 to 90.0, 5 runs) | 1.80 |'
says "whole: table, profile" in_table '| `step_kernel` | 1 | 30.0 | 0.75 | 80.0 | 20.0 | 0.0 | 0.0 |'
says "gpu-report prints the table" cmp -s <("$source/scripts/gpu-report" "$out/gpu-check.json") "$out/gpu-check.md"

# ---- faults
STAND_IN_FAILS=ctest check failing --only "configure,build,tests: kernels,profile"
says "a failing test: exit status 1" [ "$code" -eq 1 ]
says "a failing test: which, and what it said" holds 'stage["tests: kernels"]["results"]["failed"] == [{"test": "kernels.two", "how": "Failed",
  "said": ["two_test.cpp:7: Failure", "Expected equality of these values:"]}]'
says "a failing test: the others go on" holds 'stage["profile"]["status"] == "passed"'
says "a failing test: in the table" in_table '| tests: kernels | kernels.two | Failed | two_test.cpp:7: Failure'
STAND_IN_FAILS=compute-sanitizer check unclean --only configure,build,memcheck
says "a sanitizer's finding" holds 'stage["memcheck"]["status"] == "failed" and stage["memcheck"]["results"]["found"][0]["first"][0].startswith("Invalid __global__ write")'
says "a sanitizer's finding: in the table" in_table 'Invalid __global__ write of size 4 bytes'
STAND_IN_FAILS=device check unseen --only configure,build,memcheck
says "cases that skip themselves are not clean" holds 'stage["memcheck"]["status"] == "failed" and stage["memcheck"]["results"]["clean"] == 0'
says "that is what the tests say" grep -q 'no CUDA device answers here' "$source/tests/support.hpp"
STAND_IN_FAILS=orrery_bench check no_room --only configure,build,benchmarks
says "a case without room: failed, the others measured" holds 'stage["benchmarks"]["status"] == "failed" and len(stage["benchmarks"]["results"][0]["cases"]) == 1'
says "a case without room: in the table" in_table '| benchmarks | huge | was not measured | no room |'
STAND_IN_FAILS=cmake check broken
says "a broken build: the end" [ "$code" -eq 1 -a "$(grep -c ctest "$folder/bin/calls")" -eq 0 ]
says "a broken build: what the compiler said" holds '"expected a" in "".join(stage["build"]["said"])'
STAND_IN_FAILS=orrery check blind
says "the program sees no GPU: the end" holds 'stage["devices"]["status"] == "failed" and "tests: kernels" not in stage'

# ---- out of time
start=$SECONDS
STAND_IN_SLOW=ctest check slow --budget 8 --only "configure,build,tests: kernels,profile"
says "a slow stage is cut off, in time" [ $((SECONDS - start)) -le 14 ]
says "a slow stage: what it reached" holds 'stage["tests: kernels"]["status"] == "cut off" and stage["tests: kernels"]["results"]["passed"] == 1 and "1 not reached" in stage["tests: kernels"]["summary"]'
STAND_IN_SLOW=orrery_bench check slow_bench --budget 5 --only configure,build,benchmarks
says "a slow benchmark is cut off" holds 'stage["benchmarks"]["status"] in ("failed", "cut off")'
check late --budget 0 --only configure,build
says "no time: not reached" holds 'stage["configure"]["status"] == "not reached" and "build" not in stage'

# ---- ended from outside: whoever waits for a stage finds the record of those before
begin_slow() {
  out=$folder/$1
  rm -f "$folder/bin/slow"
  STAND_IN_SLOW=$2 "$source/scripts/gpu-check" "$out" --build "$out/build" >"$folder/said" 2>&1 &
  process=$!
  for _ in $(seq 200); do [ -s "$folder/bin/slow" ] && grep -q "\"running\": \"$3\"" "$out/gpu-check.json" 2>/dev/null && break; sleep 0.1; done
}
all_gone() {  # a process that has ended and waits to be reaped has no command line
  local id
  for id in $(cat "$folder/bin/slow"); do [ -z "$(tr -d '\0' 2>/dev/null <"/proc/$id/cmdline")" ] || return 1; done
} 2>/dev/null
begin_slow killed ctest "tests: kernels"
kill -KILL "$process"
{ wait "$process"; } 2>/dev/null
says "killed: the record is whole" holds 'r["running"] == "tests: kernels" and stage["build"]["status"] == "passed" and not r["ended"]'
says "killed: so is the table" in_table 'under way: `tests: kernels`'
kill -KILL $(cat "$folder/bin/slow")
begin_slow interrupted compute-sanitizer memcheck
kill -TERM "$process"
code=0
wait "$process" || code=$?
says "interrupted: exit status 130" [ "$code" -eq 130 ]
says "interrupted: the record says where" holds 'r["ended"] and "memcheck" in r["said"] and stage["memcheck"]["status"] == "cut off" and "rounds" not in stage'
says "interrupted: nothing runs on" all_gone

# ---- usage
check usage --only nonsense
says "an unknown stage: exit status 2" [ "$code" -eq 2 ]
"$source/scripts/gpu-report" "$folder/said" 2>"$folder/complaint" && failed=$((failed + 1))
says "gpu-report: not a record" grep -q 'is not the record of a gpu-check' "$folder/complaint"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
