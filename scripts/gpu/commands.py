"""Commands under a time limit. Each has a process group of its own, so that what it started ends with it."""
import dataclasses
import os
import shlex
import signal
import subprocess
import tempfile
import threading
import time

alive, guard = set(), threading.Lock()
longest = 300_000  # characters of one command's output in the log: its end


@dataclasses.dataclass
class Output:
    command: str
    rc: int  # of the command; 124 where it was cut off
    cut_off: bool
    text: str  # stdout and stderr together
    seconds: float


def end(process):
    for kind, wait in ((signal.SIGTERM, 3), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, kind)
        except ProcessLookupError:
            pass
        try:
            process.wait(wait)
            break
        except subprocess.TimeoutExpired:
            pass


def end_all():
    with guard:
        running = list(alive)
    for process in running:
        end(process)


def run(command, limit, log=None, env=None, cwd=None):
    command = [str(c) for c in command]
    start = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=cwd,
                                   env=os.environ | {k: str(v) for k, v in (env or {}).items()}, start_new_session=True)
        with guard:
            alive.add(process)
        cut_off = False
        try:
            process.wait(max(limit, 0.1))
        except subprocess.TimeoutExpired:
            cut_off = True
        finally:
            end(process)  # what it left behind too
            with guard:
                alive.discard(process)
        said.seek(0)
        text = said.read().decode(errors="replace")
    output = Output(shlex.join(command), 124 if cut_off else process.returncode, cut_off, text, time.monotonic() - start)
    if log:
        with guard, open(log, "a") as file:
            file.write(f"$ {output.command}\n{text[-longest:]}\n[rc {output.rc}, {output.seconds:.1f} s{', cut off' if cut_off else ''}]\n\n")
    return output


def last_words(text, lines=8, width=200):
    """The end of what a command said, for a record that must stay short."""
    return [line[:width] for line in text.splitlines() if line.strip()][-lines:]
