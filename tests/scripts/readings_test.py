#!/usr/bin/env python3
"""readings_test.py SOURCE_DIR: what scripts/gpu/readings.py makes of whole, cut-off and foreign output."""
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv.pop() + "/scripts")
from gpu import machine, readings  # noqa: E402


class Ctest(unittest.TestCase):
    def test_every_way_to_end(self):
        text = "\n".join(["      Start 1: a.one", "1/5 Test #1: a.one ........................   Passed    1.50 sec", "      Start 2: a.two",
                          "2/5 Test #2: a.two ........................***Exception: SegFault  0.20 sec", "[ RUN ] X", "lost",
                          "3/5 Test #3: a.three ......................***Skipped   0.01 sec", "4/5 Test #4: a.four .......................***Timeout  30.0 sec",
                          "", "25% tests passed, 2 tests failed out of 5"])
        r = readings.ctest(text)
        self.assertEqual((r["of"], r["ended"], r["passed"], r["skipped"]), (5, 4, 1, 1))
        self.assertEqual(r["failed"], [{"test": "a.two", "how": "Exception: SegFault", "said": ["[ RUN ] X", "lost"]},
                                       {"test": "a.four", "how": "Timeout", "said": []}])
        self.assertEqual(r["seconds"]["a.one"], 1.5)

    def test_nothing(self):
        self.assertEqual(readings.ctest("No tests were found!!!")["of"], 0)


class Sanitizer(unittest.TestCase):
    def test_counts(self):
        self.assertEqual(readings.sanitizer("========= COMPUTE-SANITIZER\n========= ERROR SUMMARY: 0 errors\n"), (0, []))
        errors, first = readings.sanitizer("========= COMPUTE-SANITIZER\n========= Error: Race reported\n========= RACECHECK SUMMARY: 2 hazards displayed\n")
        self.assertEqual((errors, first), (2, ["Error: Race reported"]))

    def test_no_end(self):
        self.assertEqual(readings.sanitizer("========= Device not supported\n"), (None, ["Device not supported"]))


class Benchmarks(unittest.TestCase):
    whole = """{ "context": {"device": "cuda", "copy_GB_per_s": "10.5", "gemm_GFLOP_per_s": "20.5"},
  "benchmarks": [
    {"name": "a/W:1/manual_time", "real_time": 2.0, "floor_us": 1.0, "share_of_copy": 0.5, "share_of_gemm": 0.25},
    {"name": "b/manual_time", "error_occurred": true, "error_message": "time is up", "real_time": 0.0},
    {"name": "c/manual_time", "error_occurred": true, "error_message": "no room", "real_time": 0.0}
  ]
}"""

    def test_whole(self):
        r = readings.benchmarks(self.whole)
        self.assertEqual(r["cases"], [{"name": "a/W:1", "us": 2.0, "floor_us": 1.0, "share_of_copy": 0.5, "share_of_gemm": 0.25}])
        self.assertEqual((r["not_reached"], r["failed"], r["copy_GB_per_s"]), (1, [{"name": "c", "said": "no room"}], 10.5))

    def test_cut_off_anywhere(self):
        for end in range(len(self.whole)):
            self.assertEqual(len(readings.benchmarks(self.whole[:end])["cases"]), int(end > self.whole.index("0.25}") + 4))


class Profile(unittest.TestCase):
    def test_a_row_per_launch(self):
        text = """==PROF== Connected
"ID","Kernel Name","gpu__time_duration.sum","sm__throughput.avg.pct_of_peak_sustained_elapsed"
"","","ns","%"
"0","a(int)","1,000","10"
"1","b<float>(int)","6,000","90"
"2","a(int)","3,000","30"
==PROF== Disconnected
"""
        kernels = readings.profile(text)
        self.assertEqual([(k["kernel"], k["launches"], k["us"], k["share"], k["compute_percent"]) for k in kernels],
                         [("b<float>", 1, 6.0, 0.6, 90.0), ("a", 2, 4.0, 0.4, 25.0)])

    def test_nothing(self):
        self.assertEqual(readings.profile("==ERROR== no permission"), [])


class Others(unittest.TestCase):
    def test_peer(self):
        self.assertEqual(readings.peer('warning\n{"a": 1}\nbye\n'), {"a": 1})
        self.assertIsNone(readings.peer("nothing"))
        self.assertIsNone(readings.peer('{"a": '))

    def test_architecture(self):
        self.assertEqual([machine.architecture(c) for c in ("8.0", "8.9", "9.0", "12.0")], ["80", "89", "90a", "120"])


unittest.main()
