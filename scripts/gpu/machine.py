"""What this machine is: GPU, driver, toolkit, processor, tools, and the revision of this tree."""
import os
import pathlib
import platform
import re
import shutil

from gpu.commands import run

root = pathlib.Path(__file__).resolve().parent.parent.parent
query = {"name": "device", "memory.total": "memory_MiB", "compute_cap": "compute_capability", "driver_version": "driver",
         "clocks.sm": "clock_MHz", "clocks.max.sm": "max_clock_MHz", "power.limit": "power_limit_W"}


def tool(name):
    """A program on the path, or beside the toolkit's nvcc."""
    found = shutil.which(name)
    beside = pathlib.Path("/usr/local/cuda/bin") / name
    return found or (str(beside) if os.access(beside, os.X_OK) else None)


def gpu():
    """The first GPU that nvidia-smi lists, or why there is none."""
    program = tool("nvidia-smi")
    if not program:
        return None, "nvidia-smi is not here"
    said = run([program, f"--query-gpu={','.join(query)}", "--format=csv,noheader,nounits"], 30)
    first = said.text.strip().splitlines()[:1]
    values = [v.strip() for v in first[0].split(",")] if first else []
    if said.rc != 0 or len(values) != len(query):
        return None, f"nvidia-smi said: {first[0][:120] if first else 'nothing'}"
    return dict(zip(query.values(), values)), None


def architecture(capability):
    """9.0 -> 90a, the name under which the preset builds for that chip; 8.6 -> 86."""
    number = capability.replace(".", "")
    return number + "a" if number == "90" else number


def first_match(command, pattern):
    program = tool(command[0])
    found = re.search(pattern, run([program, *command[1:]], 20).text) if program else None
    return found.group(1) if found else None


def processor():
    try:
        return re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text()).group(1)
    except (OSError, AttributeError):
        return platform.machine()


def toolkit():
    return {"toolkit": first_match(["nvcc", "--version"], r"release [\d.]+, V([\d.]+)"),
            "cmake": first_match(["cmake", "--version"], r"version ([\d.]+)"),
            "compiler": first_match(["g++", "--version"], r"(.*)"),
            "processor": processor(), "cores": os.cpu_count(), "system": platform.platform()}


def revision():
    """Of $ORRERY_REVISION, else of git, else what stage-deps wrote."""
    if os.environ.get("ORRERY_REVISION"):
        return os.environ["ORRERY_REVISION"]
    if shutil.which("git"):
        said = run(["git", "-C", root, "describe", "--always", "--dirty"], 20)
        if said.rc == 0:
            return said.text.strip()
    staged = root / "staged/revision"
    return staged.read_text().strip() if staged.exists() else "unknown"
