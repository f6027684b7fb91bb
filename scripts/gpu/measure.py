"""Benchmarks, peers and a profile: our times beside floors, beside PyTorch's and JAX's, and where they go."""
import json
import pathlib
import statistics
import tempfile
import time

from gpu import readings
from gpu.commands import last_words, run
from gpu.machine import root, tool
from gpu.stages import outcome


# ---- ours -----------------------------------------------------------------------------------------------------------------------------------
def bench(check, limit, pattern, precision, min_time=0.1):
    """orrery_bench: the bandwidth and the product rate measured in the same call, then the cases that match."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "bench.json"
        said = check.run([check.build / "bench/orrery_bench", f"--benchmark_filter={pattern}", f"--benchmark_min_time={min_time}",
                          f"--benchmark_out={file}", "--benchmark_out_format=json"], limit,
                         env={"ORRERY_BENCH_DEVICE": "cuda", "ORRERY_BENCH_PRECISION": precision, "ORRERY_BENCH_SECONDS": max(limit - 4, 1)})
        results = readings.benchmarks(file.read_text() if file.exists() else "")
    return said, results | {"precision": precision}


def benchmarks(check, limit, runs):
    """`runs`: (pattern, precision) each; one that does not come to its end leaves the others their time."""
    start, all_results, status = time.monotonic(), [], "passed"
    for k, (pattern, precision) in enumerate(runs):
        said, results = bench(check, (limit - (time.monotonic() - start)) / (len(runs) - k), pattern, precision)
        all_results.append(results | {"command": said.command, "rc": said.rc})
        if said.rc != 0 and not said.cut_off or results["failed"] or not results["cases"]:
            status, all_results[-1]["said"] = "failed", last_words(said.text)
        elif (said.cut_off or results["not_reached"]) and status == "passed":
            status = "cut off"
        check.record.update(results=all_results)
    cases = [c for r in all_results for c in r["cases"]]
    times = [c["us"] / c["floor_us"] for c in cases if c["floor_us"]]
    summary = f"{len(cases)} cases" + (f", median {statistics.median(times):.1f} times their floors" if times else "")
    late, failed = sum(r["not_reached"] for r in all_results), sum(len(r["failed"]) for r in all_results)
    summary += (f", {failed} failed" if failed else "") + (f", {late} not reached" if late else "")
    return status, summary, {"command": all_results[0]["command"], "rc": all_results[0]["rc"], "results": all_results}


# ---- peers ----------------------------------------------------------------------------------------------------------------------------------
# goal of docs/performance.md: the peers' model, workers, batch, products
goals = {"S4": ("mlp200", 1024, 32, "tf32"), "S1": ("logreg", 1024, 8, "tf32"), "S3": ("mlp128", 1024, 32, "tf32"),
         "S2": ("mlp128", 64, 32, "tf32"), "S5": ("mlp200", 1024, 1, "tf32"), "S6": ("mlp200", 1024, 32, "fp32")}
steps_of_a_round = 10
forms = {"torch": ("torch", "--impl", "fused", "--run", "graph"), "jax": ("jax", "--impl", "fused", "--unroll", "10"),
         "jax vmap": ("jax", "--impl", "vmap", "--unroll", "10")}  # framework, and how


def microseconds(check, who, goal, limit):
    """Per local step of all workers, the average's share included; None and why where it did not come to a number."""
    model, workers, batch, precision = goals[goal]
    if who == "ours":
        said, results = bench(check, limit, f"^{goal}/", precision, min_time=0.3)
        value = results["cases"][0]["us"] / steps_of_a_round if results["cases"] else None
    else:
        framework, *how = forms[who]
        said = check.run([check.python, root / f"bench/peers/{framework}_vmap.py", "--device", "cuda", "-W", workers, "--batch", batch, "--tau",
                          steps_of_a_round, "--steps", "200", "--model", model, "--dtype", precision, *how], limit,
                         env={"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "JAX_COMPILATION_CACHE_DIR": check.build / "jax",
                              "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"})
        result = readings.peer(said.text) if said.rc == 0 else None
        value = result["seconds_per_local_step"] * 1e6 if result else None
        if result and not result["loss_last"] < result["loss_first"]:
            return None, "its loss did not fall"
    return value, None if value else ("cut off" if said.cut_off else " ".join(last_words(said.text, 1)) or "no number")


def peers(check, limit):
    """Ours, theirs, ours, theirs ...: every goal once in every form, then ours and the best of theirs again while time lasts."""
    start = time.monotonic()
    found = [framework for framework in ("torch", "jax") if run([check.python, "-c",
             f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{framework}') is None)"], 30).rc == 0]
    here = [who for who in forms if forms[who][0] in found]
    if not here:
        return "not here", f"{check.python} has neither torch nor jax", {}
    seen = {goal: {who: [] for who in ["ours", *here]} for goal in goals}
    why, longest, done = {}, 5.0, 0

    def turn(goal, repeat):
        best = min((who for who in here if seen[goal][who]), key=lambda who: statistics.median(seen[goal][who]), default=None)
        return ["ours", *here] if repeat == 0 else ["ours", best] if best else []

    for goal, repeat in ((goal, repeat) for repeat in range(5) for goal in goals):
        for who in turn(goal, repeat):
            left = limit - (time.monotonic() - start)
            if (goal, who) in why or left < 2 or repeat > 0 and left < longest:
                continue
            began = time.monotonic()
            value, reason = microseconds(check, who, goal, left)
            longest = max(longest, time.monotonic() - began)
            if value:
                seen[goal][who].append(round(value, 2))
                done += 1
            else:
                why[goal, who] = reason
            check.record.update(results={"us_per_local_step": seen, "forms": forms, "why_not": {f"{g} {w}": r for (g, w), r in why.items()}})
    complete = [g for g in goals if seen[g]["ours"] and any(seen[g][who] for who in here)]
    times = {g: min(statistics.median(seen[g][w]) for w in here if seen[g][w]) / statistics.median(seen[g]["ours"]) for g in complete}
    summary = f"{done} runs beside {' and '.join(found)}: " + (", ".join(f"{g} {t:.2f} times as fast" for g, t in times.items()) or "no pair came to its end")
    status = "failed" if any(r != "cut off" for r in why.values()) or not complete else "passed" if len(complete) == len(goals) else "cut off"
    return status, summary, {"command": f"bench/peers/*_vmap.py, {json.dumps(goals)}", "rc": None, "times_as_fast": times}


# ---- profile --------------------------------------------------------------------------------------------------------------------------------
def profile(check, limit):
    """Nsight Compute over the first kernels of bench/profile.toml: which are hottest, and what they wait for."""
    program = tool("ncu")
    if not program:
        return "not here", "no ncu on this machine", {}
    with tempfile.TemporaryDirectory() as folder:
        said = check.run([program, "--csv", "--print-units", "base", "--launch-count", "150", "--metrics", ",".join(readings.metrics),
                          check.program, "run", root / "bench/profile.toml", "--device", "cuda", "--quiet", "--out", folder + "/run"], limit)
    kernels = readings.profile(said.text)
    if not kernels:
        status, summary = outcome(said, " ".join(last_words(said.text, 2)))
        return ("failed" if status == "passed" else status), summary, {"command": said.command, "rc": said.rc}
    hot = kernels[0]
    status, summary = outcome(said, f"hottest: {hot['kernel'][:60]}, {hot['share']:.0%} of the time, memory {hot['memory_percent']:.0f} %, "
                                    f"compute {hot['compute_percent']:.0f} %")
    return status, summary, {"command": said.command, "rc": said.rc, "results": kernels[:8]}
