"""Build, first runs, tests and sanitizers. A stage takes the check and its limit in seconds and returns (status, summary, fields)."""
import concurrent.futures
import filecmp
import os
import pathlib
import shutil
import tarfile
import tempfile
import time

from gpu import readings
from gpu.commands import end_all, last_words, run
from gpu.machine import root, tool


def outcome(said, summary):
    """The status of a command and what there is to say of it."""
    if said.cut_off:
        return "cut off", f"cut off after {said.seconds:.0f} s; {summary}"
    return ("passed" if said.rc == 0 else "failed"), summary


# ---- build ----------------------------------------------------------------------------------------------------------------------------------
def configure(check, limit):
    """cmake --preset cuda for this chip; the staged packages first, where there are any."""
    options = []
    staged = root / "staged/deps.tar.gz"
    if staged.exists():
        deps = check.build.parent / "deps"
        shutil.rmtree(deps, ignore_errors=True)
        with tarfile.open(staged) as archive:
            archive.extractall(deps.parent, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        options = ["-C", deps / "deps.cmake"]
    said = check.run([tool("cmake") or "cmake", *options, "--preset", "cuda", "-B", check.build, "-DORRERY_TESTS=ON", "-DORRERY_BENCH=ON",
                      "-DORRERY_FETCH=OFF", f"-DCMAKE_CUDA_ARCHITECTURES={check.architecture}", f"-DCMAKE_CUDA_COMPILER={tool('nvcc')}",
                      f"-DORRERY_REVISION={check.record.data['revision']}"], limit, cwd=root)
    summary = f"sm_{check.architecture}, packages {'of staged/' if staged.exists() else 'of the system'}"
    status, summary = outcome(said, summary if said.rc == 0 else " ".join(last_words(said.text, 2)))
    return status, summary, {"command": said.command, "rc": said.rc}


def build(check, limit, targets):
    """All cores; what fails does not stop the rest."""
    said = check.run([tool("cmake") or "cmake", "--build", check.build, "-j", os.cpu_count(), *(["--target", *targets] if targets else []),
                      "--", "-k", "0"], limit, cwd=root)
    broken = [line[:200] for line in said.text.splitlines() if line.startswith("FAILED:") or ": error" in line][:6]
    status, summary = outcome(said, f"{said.text.count('FAILED:')} objects or programs failed" if broken or said.rc else "built")
    return status, summary, {"command": said.command, "rc": said.rc, "said": broken or (last_words(said.text) if said.rc else [])}


# ---- first runs -----------------------------------------------------------------------------------------------------------------------------
def devices(check, limit):
    """The program sees the GPU that the driver sees."""
    said = check.run([check.program, "devices"], limit)
    lines = [line for line in said.text.splitlines() if line.startswith("cuda:")]
    return ("passed" if lines else "failed"), (" ".join(lines[0].split()) if lines else " ".join(last_words(said.text, 2))), {
        "command": said.command, "rc": said.rc}


def first_runs(check, limit):
    """One small experiment: twice with a CUDA graph per round and once without; the same bits each time."""
    start, settings = time.monotonic(), (("first", "true"), ("again", "true"), ("plain", "false"))
    with tempfile.TemporaryDirectory() as folder:
        for name, graphs in settings:
            said = check.run([check.program, "run", root / "experiments/quickstart.toml", "--device", "cuda", "--quiet", "--out",
                              pathlib.Path(folder) / name, "--set", "data.name=glyphs", "--set", "steps=200", "--set",
                              f"cuda_graphs={graphs}"], limit - (time.monotonic() - start), cwd=folder)
            if said.rc != 0:
                status, summary = outcome(said, f"the {name} run: {' '.join(last_words(said.text, 2))}")
                return status, summary, {"command": said.command, "rc": said.rc}
        metrics = [pathlib.Path(folder) / name / "metrics.csv" for name, _ in settings]
        again, plain = (filecmp.cmp(metrics[0], other, shallow=False) for other in metrics[1:])
    return ("passed" if again and plain else "failed"), (
        f"{'same' if again else 'other'} bits run to run, {'same' if plain else 'other'} bits without a CUDA graph"), {
        "command": said.command, "rc": said.rc}


# ---- tests ----------------------------------------------------------------------------------------------------------------------------------
def tests(check, limit, selection):
    cores = os.cpu_count()
    said = check.run([tool("ctest") or "ctest", "--test-dir", check.build, "--output-on-failure", "--timeout", max(int(limit / 2), 20),
                      "-j", max(cores // 2, 1), *selection], limit,
                     env={"ORRERY_TEST_DEVICES": "cpu,cuda", "OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": max(cores // 4, 1)}, cwd=root)
    r = readings.ctest(said.text)
    check.test_seconds |= r.pop("seconds")
    summary = f"{r['passed']} of {r['of']} passed, {len(r['failed'])} failed" + (f", {r['skipped']} skipped" if r["skipped"] else "")
    if r["ended"] < r["of"]:
        summary += f", {r['of'] - r['ended']} not reached"
    status, summary = outcome(said, summary if r["of"] else " ".join(last_words(said.text, 2)) or "no test ran")
    return ("failed" if r["failed"] or not r["of"] else status), summary, {"command": said.command, "rc": said.rc, "results": r}


# ---- sanitizers -----------------------------------------------------------------------------------------------------------------------------
no_device = "no CUDA device answers here"  # what tests/support.hpp says then


def has_cuda_cases(program):
    return "/cuda" in run([program, "--gtest_list_tests", "--gtest_filter=*/cuda*"], 20).text


def sanitize(check, limit, kind):
    """The CUDA cases of the kernel tests, those first that were quickest; several programs at a time."""
    program = tool("compute-sanitizer")
    if not program:
        return "not here", "no compute-sanitizer on this machine", {}
    start = time.monotonic()
    seconds = lambda test: check.test_seconds.get("kernels." + test.name.removeprefix("test_kernels_"), 1e9)
    if check.kernel_tests is None:
        check.kernel_tests = [t for t in sorted((check.build / "tests").glob("test_kernels_*")) if os.access(t, os.X_OK) and has_cuda_cases(t)]
    wanted = sorted(check.kernel_tests, key=seconds)
    if not wanted:
        return "failed", "no kernel test was built", {}
    # errors that a call returns are the tests' business: some ask for more memory than there is
    options = ["--report-api-errors", "no"] if kind == "memcheck" else []
    command = lambda test: [program, "--tool", kind, *options, "--error-exitcode", "99", "--print-limit", "3", test, "--gtest_filter=*/cuda*"]

    def one(test):
        left = limit - (time.monotonic() - start)
        return None if left < 2 else check.run(command(test), left, env={"OMP_NUM_THREADS": 1})

    clean, found, ended = 0, [], 0
    with concurrent.futures.ThreadPoolExecutor(max(os.cpu_count() // 2, 1)) as pool:
        try:
            for test, said in zip(wanted, pool.map(one, wanted)):
                if said is None or said.cut_off:
                    continue
                ended += 1
                errors, first = readings.sanitizer(said.text)
                if no_device in said.text:  # the cases skip themselves: nothing was seen
                    found.append({"test": test.name, "errors": None, "rc": said.rc, "first": [no_device]})
                elif said.rc == 0 and errors == 0:
                    clean += 1
                else:
                    found.append({"test": test.name, "errors": errors, "rc": said.rc, "first": first or last_words(said.text, 2)})
        except BaseException:  # interrupted: neither wait for the running programs nor start others
            pool.shutdown(wait=False, cancel_futures=True)
            end_all()
            raise
    summary = f"{clean} of {len(wanted)} programs clean, {len(found)} not" + (f", {len(wanted) - ended} not reached" if ended < len(wanted) else "")
    status = "failed" if found else "cut off" if ended < len(wanted) else "passed"
    return status, summary, {"command": " ".join(str(c) for c in command("test_kernels_...")), "rc": None,
                             "results": {"programs": len(wanted), "clean": clean, "found": found, "not_reached": len(wanted) - ended}}
