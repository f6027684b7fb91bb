"""The Markdown table of a gpu-check's JSON: the machine, a row for each stage, then what the stages found."""
import statistics


def rows(head, body):
    align = [" --- " if not column.startswith(">") else " ---: " for column in head]
    return ["| " + " | ".join(column.lstrip(">") for column in head) + " |", "|" + "|".join(align) + "|",
            *("| " + " | ".join("" if v is None else str(v).replace("|", "\\|") for v in row) + " |" for row in body), ""]


def stage_of(data, name):
    return next((s for s in data["stages"] if s["name"] == name), {})


def machine_lines(data):
    m = data.get("machine", {})
    where = f"{m.get('device') or 'no GPU'}, driver {m.get('driver') or '-'}, CUDA {m.get('toolkit') or '-'}"
    state = f"stopped in the stage `{data['running']}`" if data["running"] and data["ended"] else (
        f"under way: `{data['running']}`" if data["running"] else "ended " + data["ended"] if data["ended"] else "under way")
    return [f"# GPU check: {where}", "", f"Revision {data['revision']}, begun {data['date']}, {state}. `{data['command']}`", "",
            *([data["said"], ""] if data.get("said") else []),
            ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in m.items() if v and k not in ("device", "driver", "toolkit")), ""]


def test_lines(data):
    body = [(s["name"], f["test"], f["how"], " / ".join(f["said"])[:300]) for s in data["stages"] if s["name"].startswith("tests")
            for f in s.get("results", {}).get("failed", [])]
    body += [(s["name"], f["test"], f"{f['errors']} errors, exit code {f['rc']}", " / ".join(f["first"])[:300]) for s in data["stages"]
             if isinstance(s.get("results"), dict) for f in s["results"].get("found", [])]
    body += [(s["name"], f["name"], "was not measured", f["said"]) for s in data["stages"] if s["name"] in ("rounds", "benchmarks")
             for r in s.get("results", []) for f in r["failed"]]
    return ["## What failed", "", *rows(("stage", "program", "how", "what it said"), body)] if body else []


def bench_lines(data):
    lines = []
    for name, title in (("rounds", "## Rounds beside their goals"), ("benchmarks", "## Kernels")):
        for r in stage_of(data, name).get("results", []):
            if r["cases"]:
                lines += [title + f", {r['precision']}", "",
                          f"Measured in the same call: copy {r['copy_GB_per_s']:g} GB/s, products {r['gemm_GFLOP_per_s'] / 1000:.1f} TFLOP/s.", "",
                          *rows(("case", ">us", ">floor us", ">times its floor", ">share of copy", ">share of products"),
                                [(f"`{c['name']}`", f"{c['us']:.1f}", c["floor_us"] and f"{c['floor_us']:.1f}",
                                  f"{c['us'] / c['floor_us']:.1f}" if c["floor_us"] else None, c["share_of_copy"], c["share_of_gemm"]) for c in r["cases"]])]
    return lines


def peer_lines(data):
    r = stage_of(data, "peers").get("results")
    if not r:
        return []
    spread = lambda v: f"{statistics.median(v):.1f} ({min(v):.1f} to {max(v):.1f}, {len(v)} runs)" if v else None
    who = list(next(iter(r["us_per_local_step"].values())))
    best = lambda seen: min((statistics.median(v) for w, v in seen.items() if w != "ours" and v), default=None)
    times = lambda seen: f"{best(seen) / statistics.median(seen['ours']):.2f}" if seen["ours"] and best(seen) else None
    lines = ["## Beside peers, interleaved: us per local step of all workers", "",
             *rows(("goal", *(">" + w for w in who), ">best peer / ours"),
                   [(goal, *(spread(seen[w]) for w in who), times(seen)) for goal, seen in r["us_per_local_step"].items()])]
    return lines + [*(f"- {what}: {reason}" for what, reason in r["why_not"].items()), ""] * bool(r["why_not"])


def profile_lines(data):
    kernels = stage_of(data, "profile").get("results")
    if not kernels:
        return []
    keys = [k for k in kernels[0] if k != "kernel"]
    return ["## Hottest kernels (Nsight Compute, bench/profile.toml)", "",
            *rows(("kernel", *(">" + k.replace("_", " ") for k in keys)), [(f"`{k['kernel']}`", *(k[key] for key in keys)) for k in kernels])]


def markdown(data):
    stages = [(s["name"], s["status"], s.get("seconds"), s.get("summary")) for s in data["stages"]]
    return "\n".join([*machine_lines(data), *rows(("stage", "status", ">seconds", "what it found"), stages), *test_lines(data), *bench_lines(data),
                      *peer_lines(data), *profile_lines(data)]).rstrip() + "\n"
