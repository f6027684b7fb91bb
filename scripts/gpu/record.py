"""The record of one gpu-check: one JSON file, rewritten whole as each stage begins and ends, and the table made from it."""
import datetime
import json
import os
import pathlib
import time

from gpu import table


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Record:
    """gpu-check.json, gpu-check.md and gpu-check.log below `out`. A file appears by rename: a reader never sees half of one."""

    def __init__(self, out, head):
        self.out = pathlib.Path(out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.log = self.out / "gpu-check.log"
        self.log.write_text("")
        self.data = head | {"date": now(), "ended": None, "running": None, "stages": []}
        self.write()

    def write(self):
        for name, text in (("gpu-check.json", json.dumps(self.data, indent=1) + "\n"), ("gpu-check.md", table.markdown(self.data))):
            part = self.out / (name + ".part")
            part.write_text(text)
            os.replace(part, self.out / name)

    def begin(self, name, limit):
        self.started = time.monotonic()
        self.data["running"] = name
        self.data["stages"].append({"name": name, "status": "running", "limit_s": round(limit, 1)})
        self.write()

    def update(self, **fields):
        """What is known so far of the running stage: a cut-off leaves it."""
        self.data["stages"][-1].update(fields)
        self.write()

    def end(self, status, summary, **fields):
        stage = self.data["stages"][-1]
        stage.update(fields, status=status, summary=summary, seconds=round(time.monotonic() - self.started, 1))
        self.data["running"] = None
        self.write()
        print(f"{stage['name']:<16} {status:<8} {stage['seconds']:6.1f} s  {summary}", flush=True)

    def add(self, name, status, summary):
        """A stage that did not begin."""
        self.data["stages"].append({"name": name, "status": status, "seconds": 0, "summary": summary})
        self.write()
        print(f"{name:<16} {status:<8} {0:6.1f} s  {summary}", flush=True)

    def close(self):
        self.data["ended"] = now()
        self.write()
