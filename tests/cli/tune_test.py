#!/usr/bin/env python3
"""Tunes with the built octavo: killed at random moments, resumed, on bad logs and folders.

usage: tune_test.py OCTAVO        (ctest passes the binary)"""

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
OCTAVO = pathlib.Path("build/release/bin/octavo")
MODEL = ROOT / "assets/demo/shapes_resnet.pt"
DLRM = ROOT / "tests/golden/dlrm/dot.pt"


class Tune(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="octavo_tune."))
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = self.folder / "out"
        self.log = self.folder / "log.jsonl"

    def command(self, trials, *more):
        return [OCTAVO, "tune", MODEL, "--input-shape", "3,32,32", "--trials", str(trials), "--batch", "2",
                "--output-log", self.log, "--output-folder", self.out, *more]

    def tune(self, trials, *more):
        return subprocess.run(self.command(trials, *more), capture_output=True, text=True, timeout=300)

    def lines(self):
        return self.log.read_bytes().split(b"\n")[:-1]

    def good(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_it_writes_the_three_files_named_after_the_trials(self):
        self.good(self.tune(9))
        self.assertEqual(sorted(os.listdir(self.out)),
                         ["model_serialized_tuned_9.json", "saved_model_9.tar", "saved_model_9.tar.so"])
        self.assertEqual(len(self.lines()), 9)
        plan = json.loads((self.out / "model_serialized_tuned_9.json").read_text())
        self.assertEqual(plan["tuning"]["trials"], 9)
        compiled = self.folder / "compiled"
        done = subprocess.run([OCTAVO, "compile", MODEL, "--input-shape", "3,32,32", "--log-file", self.log, "--batch", "2",
                               "--output-folder", compiled], capture_output=True, text=True)
        self.good(done)
        self.assertIn("not tuned: ", done.stderr)
        for name in os.listdir(self.out):
            self.assertEqual((compiled / name).read_bytes(), (self.out / name).read_bytes(), name)

    def test_killed_at_any_moment_it_loses_nothing_and_goes_on(self):
        rng = random.Random(os.environ.get("OCTAVO_TEST_SEED", "6"))
        trials = 100000  # more than it takes: early stop ends it
        before = 0
        for _ in range(10):
            run = subprocess.Popen(self.command(trials, "-q"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.02, 0.25))
            run.kill()
            run.wait()
            if not self.log.exists():
                continue
            whole = self.lines()
            for line in whole:
                json.loads(line)
            self.assertGreaterEqual(len(whole), before)
            before = len(whole)
        self.assertGreater(before, 0, "killed too early each time")
        target = before + 4
        self.good(self.tune(target))
        # Fewer where the killed runs had measured nearly all that the early stop wants.
        self.assertGreaterEqual(len(self.lines()), before)
        self.assertLessEqual(len(self.lines()), target)
        self.good(self.tune(target))
        self.assertLessEqual(len(self.lines()), target, "no more is spent than was left")

    def test_damaged_lines_are_told_and_kept(self):
        self.good(self.tune(6))
        lines = self.lines()
        damaged = b"\n".join(lines[:3] + [lines[3][: len(lines[3]) // 2]] + lines[4:]) + b"\n"
        self.log.write_bytes(damaged)
        done = self.good(self.tune(6))
        self.assertIn("line 4 is no trial", done.stderr)
        self.assertTrue(self.log.read_bytes().startswith(damaged))
        self.assertEqual(len(self.lines()), 7)

    def test_trials_from_elsewhere_are_told_and_kept(self):
        self.good(self.tune(6))
        lines = self.lines()
        for i, (key, value) in enumerate((("cpu", "Another CPU"), ("version", "0.0.1"), ("problem", "pool c7"))):
            lines[i] = json.dumps({**json.loads(lines[i]), key: value}).encode()
        self.log.write_bytes(b"\n".join(lines) + b"\n")
        done = self.good(self.tune(6))
        for text in ("another CPU", "another version", "other models"):
            self.assertIn(text, done.stderr)
        self.assertEqual(self.lines()[:6], lines)
        self.assertEqual(len(self.lines()), 9)

    def test_logs_are_merged_with_cat(self):
        self.good(self.tune(5))
        first = self.log.read_bytes()
        self.log.unlink()
        self.good(self.tune(5, "--threads", "2"))
        self.log.write_bytes(first + self.log.read_bytes() + first)
        self.good(self.tune(5))
        self.good(self.tune(5, "--threads", "2"))
        self.assertEqual(len(self.lines()), 15)

    def expect_failure(self, done, *parts):
        self.assertEqual(done.returncode, 1, done.stderr)
        lines = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        for part in parts:
            self.assertIn(str(part), lines[0])

    def test_a_folder_that_cannot_be_written_is_refused_before_any_trial(self):
        self.out.write_text("no folder")
        self.expect_failure(self.tune(5), self.out)
        self.assertFalse(self.log.exists())
        self.out = pathlib.Path("/proc/octavo")
        self.expect_failure(self.tune(5), "/proc/octavo")
        self.assertFalse(self.log.exists())

    def test_a_log_that_cannot_be_used_is_refused(self):
        self.log.mkdir()
        self.expect_failure(self.tune(5), self.log)
        done = subprocess.run([OCTAVO, "compile", "-q", MODEL, "--log-file", "/none.jsonl", "-o", self.folder / "x.tar"],
                              capture_output=True, text=True)
        self.expect_failure(done, "/none.jsonl")
        self.assertFalse((self.folder / "x.tar").exists())

    def test_a_dlrm_that_is_no_package_is_refused(self):
        done = subprocess.run([OCTAVO, "tune", DLRM, "--output-folder", self.out], capture_output=True, text=True)
        self.expect_failure(done, DLRM, "octavo prepare dlrm")
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_bad_order_of_the_kernels_changes_no_result(self):
        environment = {**os.environ, "OCTAVO_TUNE_SHUFFLE": "3"}
        done = subprocess.run(self.command(100), capture_output=True, text=True, env=environment)
        self.good(done)
        rng = random.Random(1)
        header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 32, 32), }"
        header += " " * (63 - (10 + len(header)) % 64) + "\n"
        values = b"".join(bytes((rng.randrange(256), rng.randrange(256), rng.randrange(256), 0x3E)) for _ in range(2 * 3 * 32 * 32))
        (self.folder / "x.npy").write_bytes(b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + values)
        tuned = next(self.out.glob("*.tar"))
        for model, output in ((tuned, "a.npy"), (MODEL, "b.npy")):
            shape = [] if model == tuned else ["--input-shape", "3,32,32"]
            subprocess.run([OCTAVO, "run", "-q", model, *shape, self.folder / "x.npy", "-o", self.folder / output],
                           check=True, capture_output=True)
        self.assertEqual((self.folder / "a.npy").read_bytes(), (self.folder / "b.npy").read_bytes())


class TuneDlrm(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="octavo_tune."))
        self.addCleanup(shutil.rmtree, self.folder)
        self.package = self.folder / "dot"
        self.log = self.folder / "log.jsonl"
        self.octavo("prepare", "dlrm", "--from", DLRM, "--calibrate", "zipf:512", "-o", self.package)

    def octavo(self, *arguments, code=0):
        done = subprocess.run([OCTAVO, *map(str, arguments)], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout + done.stderr

    def tune(self, *more, code=0):
        data = () if "--data" in more else ("--data", "zipf:4096")
        return self.octavo("tune", self.package, *data, "--output-folder", self.folder / "out",
                           "--output-log", self.log, *more, code=code)

    def trials(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def tunings(self):
        return json.loads((self.package / "manifest.json").read_text()).get("tunings", [])

    def test_its_choice_is_in_the_package_and_changes_no_score(self):
        before = self.scores()
        self.assertIn("takes", self.tune("--arithmetic", "int8", "--batch", "1024", "--trials", "200"))
        (chosen,) = self.tunings()
        self.assertEqual((chosen["arithmetic"], chosen["batch"], chosen["threads"]), ("int8", 1024, 1))
        measured = {trial["kernel"] for trial in self.trials()}
        name = f'{chosen["kernel"]}:{chosen["samples_per_pass"]}' if chosen["samples_per_pass"] else chosen["kernel"]
        self.assertIn(name, measured)
        self.assertIn(f'tuned    int8 on {chosen["isa"]}: {chosen["kernel"]}', self.octavo("inspect", self.package))
        (told,) = json.loads(self.octavo("inspect", self.package, "--json"))["tunings"]
        self.assertEqual(told["kernel"], chosen["kernel"])
        self.assertEqual(self.scores(), before)
        report = json.loads(self.octavo("profile", self.package, "--arithmetic", "int8", "--seconds", "0.05", "--json", "-"))
        self.assertEqual({step["kernel"] for step in report["steps"]}, {chosen["kernel"]})
        self.octavo("verify", self.package, "--checksums")

    def test_it_goes_on_where_the_log_ends_and_keeps_a_choice_for_each_arithmetic(self):
        if self.isa() == "generic":
            self.skipTest("SKIPPED: the reference is the only row, there is no choice")
        self.tune("--arithmetic", "int8", "--batch", "64", "--trials", "2")
        self.assertEqual(len(self.trials()), 2)
        self.tune("--arithmetic", "int8", "--batch", "64", "--trials", "3")
        self.assertEqual(len(self.trials()), 3)
        self.tune("--batch", "64", "--trials", "2")
        self.assertEqual(len(self.trials()), 5)
        self.assertEqual([tuning["arithmetic"] for tuning in self.tunings()], ["int8", "f32"])

    def compile(self, *more, code=0):
        return self.octavo("compile", self.package, "--log-file", self.log, *more, code=code)

    def test_compile_applies_a_log_to_the_package_without_measuring(self):
        if self.isa() == "generic":
            self.skipTest("SKIPPED: the reference is the only row, there is no choice")
        untuned = (self.package / "manifest.json").read_bytes()
        before = self.scores()
        self.tune("--arithmetic", "int8", "--batch", "64", "--trials", "2")
        tuned = (self.package / "manifest.json").read_bytes()
        log = self.log.read_bytes()
        self.assertNotEqual(tuned, untuned)
        (self.package / "manifest.json").write_bytes(untuned)
        told = self.compile("--batch", "64", "--output-folder", self.folder / "compiled")
        self.assertEqual((self.package / "manifest.json").read_bytes(), tuned)
        self.assertEqual(self.log.read_bytes(), log)
        self.assertIn("int8 on", told)
        self.assertIn("not tuned: 'dlrm f32", told)
        self.assertNotIn("not tuned: 'dlrm int8", told)
        self.assertIn("is not written", told)
        self.assertFalse((self.folder / "compiled").exists())
        self.assertEqual(self.scores(), before)

    def test_compile_says_when_the_log_has_nothing_for_the_package(self):
        before = (self.package / "manifest.json").read_bytes()
        self.assertIn("/none.jsonl", self.octavo("compile", self.package, "--log-file", "/none.jsonl", code=1))
        self.assertIn("only --log-file", self.octavo("compile", self.package, code=1))
        self.log.write_text("no trial\n")
        told = self.compile()
        for text in ("not tuned: 'dlrm f32", "not tuned: 'dlrm bf16", "not tuned: 'dlrm int8", "line 1 is no trial"):
            self.assertIn(text, told)
        self.assertEqual((self.package / "manifest.json").read_bytes(), before)

    def test_what_it_cannot_tune_is_named_and_changes_nothing(self):
        before = (self.package / "manifest.json").read_bytes()
        self.assertIn("100 samples at once", self.tune("--data", "zipf:20", "--batch", "100", code=1))
        self.assertIn("one row for each table", self.tune("--data", ROOT / "tests/golden/dlrm/dot_bags.npz", code=1))
        manifest = json.loads(before)
        del manifest["calibration"]
        (self.package / "manifest.json").write_text(json.dumps(manifest))
        self.assertIn("is not calibrated", self.tune("--arithmetic", "int8", code=1))
        self.assertEqual(self.tunings(), [])
        self.assertEqual(self.log.read_text() if self.log.exists() else "", "")

    def test_a_tuning_that_cannot_be_read_or_followed_is_harmless(self):
        before = self.scores()
        path = self.package / "manifest.json"
        manifest = json.loads(path.read_text())
        made_up = {"arithmetic": "int8", "isa": self.isa(), "kernel": "of_tomorrow", "samples_per_pass": 1 << 60,
                   "batch": 1, "threads": 1, "measured_us": 1}
        path.write_text(json.dumps({**manifest, "tunings": [made_up]}))
        self.assertEqual(self.scores(), before)
        path.write_text(json.dumps({**manifest, "tunings": [{**made_up, "samples_per_pass": -1}]}))
        self.assertIn("-1 samples at a time", self.octavo("run", self.package, "zipf:8", code=1))
        path.write_text(json.dumps({**manifest, "tunings": [{"arithmetic": "int8"}]}))
        self.assertIn("isa", self.octavo("run", self.package, "zipf:8", code=1))

    def isa(self):
        (isa,) = [line.split()[-1] for line in self.octavo("cpu").splitlines() if line.startswith("in use")]
        return isa

    def scores(self):
        self.octavo("run", self.package, "zipf:700", "--arithmetic", "int8", "-o", self.folder / "y.npy")
        return (self.folder / "y.npy").read_bytes()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        OCTAVO = pathlib.Path(sys.argv.pop(1)).absolute()
    unittest.main()
