#!/usr/bin/env python3
"""Runs the built octavo on bad input: one line on stderr that names the thing, the right exit code, no file left behind.

usage: bad_input_test.py OCTAVO        (ctest passes the binary)"""

import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
OCTAVO = pathlib.Path("build/release/bin/octavo")
MODEL = ROOT / "assets/demo/shapes_resnet.pt"
PICTURE = ROOT / "src/data/testdata/rgb_444.jpg"
DATA = pathlib.Path(os.environ.get("OCTAVO_TEST_DATA", ROOT / "../shared/data"))


def octavo(*arguments, **options):
    return subprocess.run([OCTAVO, *arguments], capture_output=True, text=True, timeout=120, **options)


def flipped(data, at, bit):
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


class BadInput(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.output = self.folder / "out.tar"

    def package(self):
        path = self.folder / "good.tar"
        self.assertEqual(octavo("compile", "-q", MODEL, "-o", path).returncode, 0)
        return path

    def expect_failure(self, result, *parts, code=1):
        self.assertEqual(result.returncode, code, result.stderr)
        lines = [line for line in result.stderr.splitlines() if not line.startswith("note: ")]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("octavo: "), lines[0])
        self.assertNotIn("unexpected error", lines[0])
        for part in parts:
            self.assertIn(str(part), lines[0])
        self.assertFalse(self.output.exists())

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def test_a_truncated_torchscript_file_is_refused(self):
        data = MODEL.read_bytes()
        for size in (0, 1, 4, 100, len(data) // 2, len(data) - 1):
            path = self.write("cut.pt", data[:size])
            self.expect_failure(octavo("compile", path, "-o", self.output), "cut.pt")

    def test_a_torchscript_file_with_a_flipped_bit_is_refused_or_still_the_model(self):
        data = MODEL.read_bytes()
        chance = random.Random(3)
        for _ in range(40):
            path = self.write("flip.pt", flipped(data, chance.randrange(len(data)), chance.randrange(8)))
            result = octavo("compile", "-q", path, "-o", self.output)
            if result.returncode == 0:
                self.output.unlink()
            else:
                self.expect_failure(result, "flip.pt")

    def test_a_damaged_onnx_file_is_refused(self):
        model = DATA / "cifar10_resnet20_int8_qdq.onnx"
        if not model.exists():
            self.skipTest(f"NO TEST DATA: {model} is not there; set OCTAVO_TEST_DATA")
        data = model.read_bytes()
        for size in (0, 1, 100, len(data) // 2, len(data) - 1):
            path = self.write("cut.onnx", data[:size])
            self.expect_failure(octavo("compile", path, "-o", self.output), "cut.onnx")
        chance = random.Random(4)
        for _ in range(20):
            path = self.write("flip.onnx", flipped(data, chance.randrange(len(data)), chance.randrange(8)))
            result = octavo("compile", "-q", path, "-o", self.output)
            if result.returncode == 0:
                self.output.unlink()
            else:
                self.expect_failure(result, "flip.onnx")

    def test_a_damaged_package_is_refused(self):
        data = self.package().read_bytes()
        for size in range(0, len(data) - 1024, len(data) // 16):
            path = self.write("cut.tar", data[:size])
            self.expect_failure(octavo("run", path, PICTURE), "cut.tar")
        at = data.rindex(b"ustar") + 512 - 257  # the first byte of the last member's data
        self.expect_failure(octavo("run", self.write("flip.tar", flipped(data, at, 0)), PICTURE), "flip.tar", "damaged")

    def test_a_file_that_is_no_model_is_refused(self):
        self.expect_failure(octavo("compile", PICTURE, "-o", self.output), PICTURE.name, "neither")
        self.expect_failure(octavo("compile", self.folder / "none.pt", "-o", self.output), "none.pt")
        self.expect_failure(octavo("compile", self.folder, "-o", self.output), self.folder.name)

    def test_an_output_that_cannot_be_written_is_named(self):
        where = self.folder / "missing" / "out.tar"
        self.expect_failure(octavo("compile", "-q", MODEL, "-o", where), where)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_full_disk_leaves_no_half_written_package(self):
        def limit():
            import signal

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))

        self.expect_failure(octavo("compile", "-q", MODEL, "-o", self.output, preexec_fn=limit), "out.tar")
        self.assertEqual(os.listdir(self.folder), [])

    def test_wrong_shapes_and_names_are_named(self):
        self.expect_failure(octavo("compile", MODEL, "--input-shape", "3,x", "-o", self.output), "'x' is no extent")
        self.expect_failure(octavo("compile", MODEL, "--disable-pass", "bogus", "-o", self.output), "bogus")
        self.expect_failure(octavo("compile", MODEL, "--layer", "bogus", "-o", self.output), "bogus")
        self.expect_failure(octavo("run", "-q", MODEL, ROOT / "src/data/testdata/numbers_f4.npy"), "shape")
        self.expect_failure(octavo("run", "-q", MODEL, ROOT / "src/data/testdata/numbers_u1.npy"), "u8")
        self.expect_failure(octavo("run", "-q", MODEL, f"z={ROOT}/src/data/testdata/numbers_f4.npy"), "'z'")
        self.expect_failure(octavo("run", "-q", "--kernels", "conv2d:bogus", MODEL, PICTURE), "bogus")
        self.expect_failure(octavo("run", "-q", "--row-bands", "-3", MODEL, PICTURE), "row_bands -3")
        self.expect_failure(octavo("run", "-q", "--cpus", "0-x", MODEL, PICTURE), "'0-x'")
        environment = {**os.environ, "OCTAVO_ISA": "bogus"}
        self.expect_failure(octavo("run", "-q", MODEL, PICTURE, env=environment), "bogus")

    def test_an_unreadable_picture_among_good_ones_is_reported_and_passed_over(self):
        pictures = self.folder / "pictures"
        pictures.mkdir()
        shutil.copy(PICTURE, pictures / "a.jpg")
        (pictures / "b.jpg").write_bytes(PICTURE.read_bytes()[:100])
        shutil.copy(PICTURE, pictures / "c.jpg")
        result = octavo("run", "-q", MODEL, pictures)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn("b.jpg", result.stderr)
        self.assertIn("a.jpg", result.stdout)
        self.assertIn("c.jpg", result.stdout)

    def test_wrong_usage_is_exit_code_2(self):
        for arguments in ([], ["compile"], ["bogus"], ["compile", "--bogus", MODEL], ["run", MODEL], ["run", "-t", "0", MODEL, PICTURE]):
            result = octavo(*arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertNotEqual(result.stderr, "")
        self.assertEqual(octavo("--help").returncode, 0)
        self.assertEqual(octavo("compile", "--help").returncode, 0)


def linked_libraries():
    return subprocess.run(["ldd", OCTAVO], capture_output=True, text=True).stdout.lower()


class Binary(unittest.TestCase):
    def test_links_neither_torch_nor_python(self):
        libraries = linked_libraries()
        self.assertIn("libc.so", libraries)
        self.assertNotIn("torch", libraries)
        self.assertNotIn("python", libraries)

    def test_compiles_resnet50_in_less_than_200_megabytes(self):
        model = DATA / "resnet50_int8_traced.pt"
        if not model.exists():
            self.skipTest(f"NO TEST DATA: {model} is not there; set OCTAVO_TEST_DATA")
        with tempfile.TemporaryDirectory() as folder:
            start = time.monotonic()
            child = subprocess.Popen([OCTAVO, "compile", "-q", model, "-o", f"{folder}/p.tar"], stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.monotonic() - start
        self.assertEqual(child.returncode, 0)
        print(f"resnet50: compile and load {seconds:.2f} s, peak {usage.ru_maxrss / 1000:.0f} MB", file=sys.stderr)
        if any(name in linked_libraries() for name in ("libasan", "libtsan")):
            self.skipTest("SKIPPED: a sanitizer's own memory is more than the limit")
        self.assertLess(usage.ru_maxrss * 1024, 200_000_000)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        OCTAVO = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
