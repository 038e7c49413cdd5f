#!/usr/bin/env python3
"""octavo and dlrm_infer on DLRMs and click data that are wrong: one line on stderr that names the thing, exit code 1.

usage: dlrm_bad_input_test.py OCTAVO DLRM_INFER        (ctest passes the binaries)"""

import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

import dlrm_files

OCTAVO = pathlib.Path("build/release/bin/octavo")
INFER = pathlib.Path("build/release/bin/dlrm_infer")
ROWS = [50, 7, 30]


def call(*arguments):
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, errors="replace", timeout=120)


class DlrmBadInput(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.model = self.write("model.pt", dlrm_files.checkpoint(ROWS))
        self.package = self.folder / "package"
        self.assertEqual(call(OCTAVO, "prepare", "dlrm", "--from", self.model, "-o", self.package).returncode, 0)
        self.data = self.folder / "data"
        self.write_data()

    def write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path

    def write_data(self, dense=(0.5,) * 6, indices=(1, 2, 3, 4, 5, 6, 7, 8, 9), results=(0.5, 0.5, 0.5)):
        self.write("data/batch_dense_X_ref", struct.pack(f"<{len(dense)}f", *dense))
        self.write("data/batch_lS_i_ref", struct.pack(f"<{len(indices)}q", *indices))
        self.write("data/batch_res_ref", struct.pack(f"<{len(results)}f", *results))

    def expect_failure(self, result, *parts):
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        lines = [line for line in result.stderr.splitlines() if not line.startswith("note: ")]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertNotIn("unexpected error", lines[0])
        for part in parts:
            self.assertIn(str(part), lines[0])

    def expect_everywhere(self, *parts):
        """The same refusal by every program that reads the data, with tables in memory and mapped."""
        self.expect_failure(call(OCTAVO, "run", self.package, self.data), *parts)
        self.expect_failure(call(OCTAVO, "verify", self.package, "--data", self.data, "--tables", "mapped"), *parts)
        self.expect_failure(call(INFER, "-", "-", self.model, self.data), *parts)

    def test_good_input_is_accepted(self):
        self.assertEqual(call(OCTAVO, "run", self.package, self.data).returncode, 0)
        self.assertEqual(call(OCTAVO, "verify", self.package, "--data", self.data, "--max-difference", "1").returncode, 0)

    def test_an_index_out_of_range_is_named(self):
        self.write_data(indices=(1, 2, 3, 4, 5, 7, 7, 8, 9))
        self.expect_everywhere("sample 2", "index 7", "table 1", "0..6")

    def test_a_negative_index_is_named(self):
        self.write_data(indices=(1, -1, 3, 4, 5, 6, 7, 8, 9))
        self.expect_everywhere("sample 1", "index -1", "table 0", "0..49")

    def test_a_dense_feature_that_is_no_number_is_named(self):
        for value in (float("nan"), float("inf")):
            self.write_data(dense=(0.5, 0.5, 0.5, value, 0.5, 0.5))
            self.expect_everywhere("sample 1")

    def test_data_files_that_are_short_long_or_missing_are_named(self):
        self.write_data(results=(0.5, 0.5))
        self.expect_everywhere("batch_res_ref' has 2 samples")
        self.write_data(dense=(0.5,) * 7)
        self.expect_everywhere("batch_dense_X_ref' has 28 bytes")
        (self.data / "batch_lS_i_ref").unlink()
        self.expect_everywhere("batch_lS_i_ref")

    def test_a_table_cut_after_packaging_is_named(self):
        table = self.package / "tables/2.f32"
        table.write_bytes(table.read_bytes()[:-1])
        self.expect_failure(call(OCTAVO, "run", self.package, self.data), "tables/2.f32' has 479 bytes, expected 480")
        self.expect_failure(call(OCTAVO, "inspect", self.package), "tables/2.f32")

    def test_a_flipped_bit_in_a_table_is_found_by_checksums(self):
        table = self.package / "tables/2.f32"
        data = bytearray(table.read_bytes())
        data[100] ^= 4
        table.write_bytes(data)
        result = call(OCTAVO, "verify", self.package, "--checksums")
        self.assertEqual(result.returncode, 1)
        self.assertIn("tables/2.f32' is damaged", result.stdout)
        self.assertIn("2 of 3 tables are as prepared", result.stdout)

    def test_int8_without_calibration_says_so(self):
        self.expect_failure(call(OCTAVO, "run", self.package, self.data, "--arithmetic", "int8"), "calibrat")

    def test_reference_and_labels_that_are_not_there_are_asked_for(self):
        self.write("a.txt", b"1\t2\t1\t2\t3\n")
        self.expect_failure(call(OCTAVO, "verify", self.package, "--data", self.folder / "a.txt"), "neither labels nor")

    def test_a_score_that_differs_too_much_fails(self):
        self.write_data(results=(0.5, 0.99, 0.5))
        result = call(OCTAVO, "verify", self.package, "--data", self.data)
        self.assertEqual(result.returncode, 1)
        self.assertIn("NOT as expected", result.stdout)

    def test_an_auc_that_is_too_low_fails(self):
        arguments = ["verify", self.package, "--data", "zipf:1000", "--min-auc"]
        self.assertEqual(call(OCTAVO, *arguments, "0.01").returncode, 0)
        self.assertEqual(call(OCTAVO, *arguments, "0.999").returncode, 1)

    def test_another_model_can_be_the_reference(self):
        coarse = self.folder / "coarse"
        call(OCTAVO, "prepare", "dlrm", "--from", self.package, "--precision", "s8_row", "-o", coarse)
        arguments = ["verify", coarse, "--data", "zipf:1000", "--reference", self.model, "--max-difference", "0.01"]
        self.assertEqual(call(OCTAVO, *arguments).returncode, 0)
        other = self.write("other.pt", dlrm_files.checkpoint(ROWS, seed=2))
        self.assertEqual(call(OCTAVO, "verify", coarse, "--data", "zipf:1000", "--reference", other).returncode, 1)

    def test_wrong_names_are_refused(self):
        prepare = ["prepare", "dlrm", "-o", self.folder / "p", "--from"]
        self.expect_failure(call(OCTAVO, *prepare, self.folder / "none.pt"), "none.pt")
        self.expect_failure(call(OCTAVO, *prepare, self.data), "no files p0, p1")
        self.expect_failure(call(OCTAVO, *prepare, self.model, "--table-precision", "3:f16"), "'3:f16'", "below 3")
        self.expect_failure(call(OCTAVO, *prepare, self.model, "--table-precision", "1:f9"), "'f9'")
        self.expect_failure(call(OCTAVO, *prepare, self.model, "--calibrate", "zipf:0"), "no samples to calibrate on")
        self.expect_failure(call(OCTAVO, "prepare", "dlrm", "-o", self.folder / "q", "--variant", "9m"), "'9m'")
        self.expect_failure(call(OCTAVO, "prepare", "dlrm", "-o", self.folder / "q"), "--variant, --from or --url")
        self.expect_failure(call(OCTAVO, "run", self.package, self.data, "--modulo", "x"), "--modulo 'x'")
        self.expect_failure(call(OCTAVO, "run", self.package, self.data, self.data), "one data set too many")
        self.assertEqual(call(OCTAVO, *prepare, self.model, "--precision", "s2").returncode, 2)
        self.assertEqual(call(INFER, "-", "-", self.model).returncode, 2)

    def test_damaged_checkpoints_never_crash(self):
        whole = self.model.read_bytes()
        generator = random.Random(7)
        for _ in range(60):
            damaged = bytearray(whole)
            for _ in range(3):
                damaged[generator.randrange(len(whole))] = generator.randrange(256)
            path = self.write("damaged.pt", damaged)
            result = call(OCTAVO, "inspect", path)
            self.assertIn(result.returncode, (0, 1), result.stderr)
            self.assertNotIn("unexpected error", result.stderr)

    def test_damaged_manifests_never_crash(self):
        manifest = self.package / "manifest.json"
        whole = manifest.read_bytes()
        generator = random.Random(8)
        for _ in range(60):
            damaged = bytearray(whole)
            damaged[generator.randrange(len(whole))] = generator.randrange(256)
            manifest.write_bytes(damaged)
            result = call(OCTAVO, "inspect", self.package)
            self.assertIn(result.returncode, (0, 1), result.stderr)
            self.assertNotIn("unexpected error", result.stderr)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        INFER = pathlib.Path(sys.argv.pop(2))
        OCTAVO = pathlib.Path(sys.argv.pop(1))
    unittest.main(verbosity=1)
