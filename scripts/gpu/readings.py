"""What the tools print, read into numbers. A cut-off tool leaves half of its output: that half is read."""
import collections
import csv
import io
import json
import re

from gpu.commands import last_words

test_line = re.compile(r"^\s*\d+/(\d+)\s+Test\s+#\d+:\s+(\S+)\s+\.*\s*\**\s*(.*?)\s+([\d.]+) sec")


def ctest(text):
    """Each test that ended: passed or how not, seconds, and the last words of those that failed."""
    of, skipped, ended, failed, lines = 0, 0, {}, [], text.splitlines()
    over = re.compile(test_line.pattern + r"|^\s*Start\s+\d+:|^\d+% tests passed")
    for i, line in enumerate(lines):
        found = test_line.match(line)
        if not found:
            continue
        of = int(found.group(1))
        name, how = found.group(2), found.group(3).strip()
        ended[name] = float(found.group(4))
        skipped += how == "Skipped"
        if how not in ("Passed", "Skipped"):  # what it printed follows its line
            said = lines[i + 1:next((k for k in range(i + 1, len(lines)) if over.match(lines[k])), len(lines))]
            telling = [l for l in said if re.search(r"Failure|FAILED|rror|xpected|hich is|ctual", l)] or said
            failed.append({"test": name, "how": how, "said": last_words("\n".join(telling), 6)})
    return {"of": of, "ended": len(ended), "passed": len(ended) - skipped - len(failed), "skipped": skipped, "failed": failed, "seconds": ended}


def sanitizer(text):
    """Errors that compute-sanitizer counted (None: it did not come to its end) and the first of them."""
    found = re.search(r"ERROR SUMMARY: (\d+) error|RACECHECK SUMMARY: (\d+) hazard", text)
    first = [line.strip("= ") for line in text.splitlines() if line.startswith("=========") and line.strip("= ")]
    first = [line for line in first if not line.startswith(("COMPUTE-SANITIZER", "ERROR SUMMARY", "RACECHECK SUMMARY"))]
    return (int(found.group(1) or found.group(2)) if found else None), first[:3]


def benchmarks(text):
    """Google Benchmark's JSON, whole or cut off: its context and every case that ended."""
    def objects(position):  # from there on, as long as they are whole
        while (position := text.find("{", position)) >= 0:
            try:
                one, position = json.JSONDecoder().raw_decode(text, position)
            except json.JSONDecodeError:
                return
            yield one

    first, begin = text.find('"context"'), text.find('"benchmarks"')
    context = next(objects(first), {}) if first >= 0 else {}
    cases = list(objects(begin)) if begin >= 0 else []
    number = lambda c, key: round(c[key], 3) if key in c else None
    return {"copy_GB_per_s": float(context.get("copy_GB_per_s", 0)), "gemm_GFLOP_per_s": float(context.get("gemm_GFLOP_per_s", 0)),
            "device": context.get("device"),
            "not_reached": sum(c.get("error_message") == "time is up" for c in cases),
            "failed": [{"name": c["name"].removesuffix("/manual_time"), "said": c["error_message"][:200]} for c in cases
                       if c.get("error_occurred") and c["error_message"] != "time is up"],
            "cases": [{"name": c["name"].removesuffix("/manual_time"), "us": round(c["real_time"], 3), "floor_us": number(c, "floor_us"),
                       "share_of_copy": number(c, "share_of_copy"), "share_of_gemm": number(c, "share_of_gemm")}
                      for c in cases if not c.get("error_occurred")]}


def peer(text):
    """The one JSON object that a peer prints last."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                return json.loads(line)
            except json.JSONDecodeError:
                return None
    return None


# of ncu: its metric -> our name
metrics = {"gpu__time_duration.sum": "us", "dram__throughput.avg.pct_of_peak_sustained_elapsed": "memory_percent",
           "sm__throughput.avg.pct_of_peak_sustained_elapsed": "compute_percent",
           "sm__warps_active.avg.pct_of_peak_sustained_active": "occupancy_percent", "launch__registers_per_thread": "registers"}
to_us = {"ns": 1e-3, "nsecond": 1e-3, "us": 1, "usecond": 1, "ms": 1e3, "msecond": 1e3, "s": 1e6, "second": 1e6}


def profile(text):
    """ncu --csv, a row per metric or (--page raw) per launch: every kernel by name, hottest first; means weighted by time."""
    start = text.find('"ID"')
    launches, units = collections.defaultdict(dict), {}
    for row in csv.DictReader(io.StringIO(text[start:] if start >= 0 else "")):
        if "Metric Name" in row:
            seen = {row["Metric Name"]: row["Metric Value"]}
            units = {row["Metric Name"]: row["Metric Unit"]}
        elif not row["ID"]:  # the units of each column
            units = row
            continue
        else:
            seen = row
        for name in metrics.keys() & {n for n in seen if seen[n]}:
            scale = to_us.get(units.get(name), 1) if metrics[name] == "us" else 1
            launches[row["ID"], row["Kernel Name"]][metrics[name]] = float(seen[name].replace(",", "")) * scale
    kernels = collections.defaultdict(lambda: dict.fromkeys(("launches", *metrics.values()), 0.0))
    for (_, name), m in launches.items():
        kernel, us = kernels[re.sub(r"\(.*", "", name)[:100]], m.get("us", 0.0)
        kernel["launches"] += 1
        for key, value in m.items():
            kernel[key] += value if key == "us" else value * us
    total = sum(k["us"] for k in kernels.values()) or 1.0
    hottest = sorted(kernels.items(), key=lambda item: -item[1]["us"])
    return [{"kernel": name, "launches": int(k["launches"]), "us": round(k["us"], 1), "share": round(k["us"] / total, 3)} |
            {key: round(k[key] / (k["us"] or 1), 1) for key in metrics.values() if key != "us"} for name, k in hottest]
