#!/usr/bin/env python3
"""Carries a bundle elsewhere: to a path with spaces, to read-only media, to a tree that holds nothing else; forced to AVX2.

usage: bundle_test.py OCTAVO        (ctest passes the binary). The trees without anything else need root for chroot."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import mounts

ROOT = pathlib.Path(__file__).resolve().parents[2]
OCTAVO = pathlib.Path("build/release/bin/octavo")
MODEL = ROOT / "assets/demo/shapes_resnet.pt"
NPY_HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3, 32, 32), }"


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def must(*command, **options):
    done = run(*command, **options)
    assert done.returncode == 0, (command, done.stderr)
    return done


class Bundle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="octavo_bundle."))
        cls.labels = cls.folder / "names.txt"
        shutil.copy(ROOT / "assets/demo/classes.txt", cls.labels)
        must(OCTAVO, "bundle", "-q", MODEL, "--input-shape", "3,32,32", "-o", cls.folder / "shapes.tgz", "--labels", cls.labels)
        cls.home = cls.folder / "a place with spaces"
        cls.home.mkdir()
        must("tar", "-xzf", cls.folder / "shapes.tgz", "-C", cls.home)
        cls.bundle = cls.home / "shapes"
        header = NPY_HEADER + " " * (63 - (10 + len(NPY_HEADER)) % 64) + "\n"
        floats = bytes((i * 37 % 251) if i % 4 != 3 else 0x3E for i in range(3 * 3 * 32 * 32 * 4))
        (cls.bundle / "x.npy").write_bytes(b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + floats)
        must(OCTAVO, "run", "-q", MODEL, "--input-shape", "3,32,32", cls.bundle / "x.npy", "-o", cls.folder / "y.npy")
        cls.expected = (cls.folder / "y.npy").read_bytes()

    @classmethod
    def tearDownClass(cls):
        run("chmod", "-R", "u+w", cls.folder)
        shutil.rmtree(cls.folder)

    def scored(self, bundle, environment=None):
        out = self.folder / "y_bundle.npy"
        out.unlink(missing_ok=True)
        must(bundle / "bin/octavo", "run", bundle / "saved_model.tar", bundle / "x.npy", "-o", out, env=environment or {})
        return out.read_bytes()

    def test_its_files_are_those_of_its_manifest(self):
        must("sha256sum", "-c", "SHA256SUMS", cwd=self.bundle)
        manifest = json.loads((self.bundle / "manifest.json").read_text())
        there = {str(path.relative_to(self.bundle)) for path in self.bundle.rglob("*") if path.is_file()}
        listed = {entry["name"] for entry in manifest["files"]}
        self.assertEqual(there - listed, {"manifest.json", "SHA256SUMS", "x.npy"})
        self.assertLessEqual({"bench.sh", "bin/octavo", "lib/octavo", "lib/libc.so.6", "lib/ld-linux-x86-64.so.2", "labels.txt"}, listed)

    def test_the_same_model_gives_the_same_bytes(self):
        (self.folder / "again").mkdir()
        again = self.folder / "again/shapes.tgz"
        must(OCTAVO, "bundle", "-q", MODEL, "--input-shape", "3,32,32", "-o", again, "--labels", self.labels)
        self.assertEqual(again.read_bytes(), (self.folder / "shapes.tgz").read_bytes())
        self.assertEqual(os.listdir(self.folder / "again"), ["shapes.tgz"])

    def test_it_scores_alike_in_a_path_with_spaces_and_forced_to_avx2(self):
        self.assertEqual(self.scored(self.bundle), self.expected)
        if "avx2" in pathlib.Path("/proc/cpuinfo").read_text():
            self.assertEqual(self.scored(self.bundle, {"OCTAVO_ISA": "avx2"}), self.expected)
        self.assertEqual(self.scored(self.bundle, {"OCTAVO_ISA": "generic"}), self.expected)

    def test_it_scores_from_wherever_it_is_started(self):
        for folder, program in ((self.bundle, "bin/octavo"), (self.bundle / "bin", "./octavo"), (self.bundle / "lib", "../bin/octavo")):
            done = must(program, "--version", cwd=folder, env={})
            self.assertTrue(done.stdout.startswith("octavo "), done.stdout)

    def test_it_uses_none_of_the_systems_libraries(self):
        done = must(self.bundle / "bin/octavo", "--version", env={"LD_DEBUG": "files"})
        opened = [line.split("file=")[1] for line in done.stderr.splitlines() if "calling init: /" in line and "file=" in line]
        paths = [line.split("calling init: ")[1] for line in done.stderr.splitlines() if "calling init: /" in line]
        self.assertGreater(len(paths), 5, done.stderr)
        self.assertEqual([path for path in opened + paths if not path.startswith(str(self.bundle))], [])

    def test_exit_codes_and_messages_are_those_of_octavo(self):
        done = run(self.bundle / "bin/octavo", "run", "/none.tar", "x.npy")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))
        self.assertIn("none.tar", done.stderr)
        self.assertEqual(run(self.bundle / "bin/octavo", "juggle").returncode, 2)

    def test_a_bundle_cannot_be_bundled(self):
        done = run(self.bundle / "bin/octavo", "bundle", self.bundle / "saved_model.tar", "-o", self.folder / "second.tgz")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot make bundles", done.stderr)
        self.assertFalse((self.folder / "second.tgz").exists())
        self.assertFalse((self.folder / "second.tgz.package").exists())

    def test_a_path_that_the_loader_cannot_take_is_named(self):
        odd = self.folder / "a:b"
        shutil.copytree(self.bundle, odd / "shapes")
        done = run(odd / "shapes/bin/octavo", "--version")
        self.assertEqual(done.returncode, 1)
        self.assertIn("a:b", done.stderr)

    def expect_same_in(self, tree):
        for isa in ("", "avx2"):
            (tree / "y.npy").unlink(missing_ok=True)
            os.environ["OCTAVO_ISA"] = isa
            self.addCleanup(os.environ.pop, "OCTAVO_ISA", None)
            must("chroot", tree, "/my bundle/bin/octavo", "run", "/my bundle/saved_model.tar", "/my bundle/x.npy", "-o", "/y.npy")
            self.assertEqual((tree / "y.npy").read_bytes(), self.expected)

    def test_it_runs_in_a_tree_that_holds_nothing_else(self):
        if os.geteuid() != 0:
            self.skipTest("SKIPPED: chroot needs root")
        tree = self.folder / "tree"
        shutil.copytree(self.bundle, tree / "my bundle")
        self.assertEqual(os.listdir(tree), ["my bundle"])
        self.expect_same_in(tree)

    def test_it_runs_in_an_older_distribution(self):
        tree = pathlib.Path(os.environ.get("OCTAVO_OLD_DEBIAN", "/nowhere"))
        if os.geteuid() != 0 or not tree.is_dir():
            self.skipTest("SKIPPED: OCTAVO_OLD_DEBIAN names no tree of an older distribution, or no root")
        shutil.copytree(self.bundle, tree / "my bundle")
        self.addCleanup(shutil.rmtree, tree / "my bundle")
        self.expect_same_in(tree)

    @unittest.skipUnless(mounts.can_mount(), "SKIPPED: no mounts of its own for a process here")
    def test_it_runs_from_read_only_media(self):
        script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && ! touch "$1/x" 2>/dev/null && '
        script += '"$1/bin/octavo" run "$1/saved_model.tar" "$1/x.npy" -o "$2"'
        out = self.folder / "y_read_only.npy"
        must("unshare", "--mount", "sh", "-c", script, "sh", self.bundle, out)
        self.assertEqual(out.read_bytes(), self.expected)

    def test_bench_sh_writes_the_csv_files(self):
        if "--csv" not in must(OCTAVO, "bench", "--help").stdout:
            self.skipTest("SKIPPED: this octavo's bench writes no CSV yet")
        out = self.folder / "csv"
        out.mkdir()
        must(self.bundle / "bench.sh", out, "--threads", "1", "--seconds", "0.05", env={"PATH": "/usr/bin:/bin"})
        self.assertEqual(sorted(os.listdir(out)), ["latency.csv", "throughput.csv"])


class DlrmBundle(unittest.TestCase):
    MODEL = ROOT / "tests/golden/dlrm/dot.pt"

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="octavo_dlrm_bundle."))
        cls.package = cls.folder / "package"
        must(OCTAVO, "prepare", "dlrm", "--from", cls.MODEL, "--precision", "s4_codebook", "--calibrate", "zipf:512", "-o", cls.package)
        (cls.package / "note.txt").write_text("is no part of the package")
        must(OCTAVO, "bundle", cls.package, "-o", cls.folder / "dot.tgz")
        cls.home = cls.folder / "a place with spaces"
        cls.home.mkdir()
        must("tar", "-xzf", cls.folder / "dot.tgz", "-C", cls.home)
        cls.bundle = cls.home / "dot"

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def test_it_scores_as_the_package_does(self):
        for arithmetic in ("f32", "int8"):
            scores = []
            for program, model in ((OCTAVO, self.package), (self.bundle / "bin/octavo", self.bundle / "saved_model")):
                out = self.folder / f"{len(scores)}.npy"
                must(program, "run", model, "zipf:300", "--arithmetic", arithmetic, "-o", out, env={})
                scores.append(out.read_bytes())
            self.assertEqual(*scores)
        must(self.bundle / "bin/octavo", "verify", self.bundle / "saved_model", "--checksums", env={})

    def test_its_files_are_the_packages_and_those_of_its_manifest(self):
        must("sha256sum", "-c", "SHA256SUMS", cwd=self.bundle)
        manifest = json.loads((self.bundle / "manifest.json").read_text())
        there = {str(path.relative_to(self.bundle)) for path in self.bundle.rglob("*") if path.is_file()}
        listed = {entry["name"]: entry["bytes"] for entry in manifest["files"]}
        self.assertEqual(there - set(listed), {"manifest.json", "SHA256SUMS"})
        self.assertEqual({name: (self.bundle / name).stat().st_size for name in listed}, listed)
        self.assertNotIn("saved_model/note.txt", there)
        self.assertIn("saved_model/tables/0.s4_codebook", there)
        self.assertIn("bin/octavo run saved_model", (self.bundle / "README.txt").read_text())

    def test_the_same_package_gives_the_same_bytes(self):
        (self.folder / "again").mkdir()
        must(OCTAVO, "bundle", self.package, "-o", self.folder / "again/dot.tgz")
        self.assertEqual((self.folder / "again/dot.tgz").read_bytes(), (self.folder / "dot.tgz").read_bytes())
        self.assertEqual(os.listdir(self.folder / "again"), ["dot.tgz"])

    def test_bench_sh_writes_the_csv_files(self):
        out = self.folder / "csv"
        out.mkdir()
        more = ("--threads", "1", "--seconds", "0.05", "--batch", "64", "--data", "zipf:256")
        must(self.bundle / "bench.sh", out, *more, env={"PATH": "/usr/bin:/bin"})
        self.assertEqual(sorted(os.listdir(out)), ["latency.csv", "throughput.csv"])

    def bench_arguments(self, folder, *more):
        """What bench.sh gives octavo bench, by a program in octavo's place that only tells."""
        (folder / "bin").mkdir(exist_ok=True)
        (folder / "bin/octavo").write_text('#!/bin/sh\necho "$@"\n')
        (folder / "bin/octavo").chmod(0o755)
        shutil.copy(self.bundle / "bench.sh", folder)
        told = must(folder / "bench.sh", self.folder, *more, env={"PATH": "/usr/bin:/bin"}).stdout.splitlines()
        lines = [line for line in told if line.startswith("bench ")]
        self.assertEqual(len(lines), 2, told)
        return lines

    def test_bench_sh_takes_int8_for_calibrated_packages_alone(self):
        folder = self.folder / "scripted bundle"
        shutil.copytree(self.bundle / "saved_model", folder / "saved_model")
        for line in self.bench_arguments(folder, "--threads", "1"):
            self.assertIn("--arithmetic int8 --threads 1", line)
        for own in (["--arithmetic", "bf16"], ["--arithmetic=bf16"]):
            for line in self.bench_arguments(folder, "--threads", "1", *own):
                self.assertNotIn("int8", line)
                self.assertIn("bf16", line)
        path = folder / "saved_model/manifest.json"
        manifest = json.loads(path.read_text())
        del manifest["calibration"]
        path.write_text(json.dumps(manifest, indent=1))
        for line in self.bench_arguments(folder):
            self.assertNotIn("--arithmetic", line)
        shutil.rmtree(folder / "saved_model")
        (folder / "saved_model.tar").write_bytes(b"")
        for line in self.bench_arguments(folder):
            self.assertNotIn("--arithmetic", line)

    def test_a_large_table_does_not_go_through_memory(self):
        large = self.folder / "large"
        shutil.copytree(self.package, large)
        manifest = json.loads((large / "manifest.json").read_text())
        table = manifest["tables"][0]
        table["rows"] = 150_000_000 // table["row_bytes"]
        (large / "manifest.json").write_text(json.dumps(manifest))
        os.truncate(large / table["file"], table["rows"] * table["row_bytes"])
        child = subprocess.Popen([OCTAVO, "bundle", large, "-o", self.folder / "large.tgz"], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(child.returncode, 0)
        # The program and the libraries that it bundles are 100,000 of them, the table would be 150,000 more.
        self.assertLess(usage.ru_maxrss, 120_000, "kB")
        sizes = must("tar", "-tvzf", self.folder / "large.tgz").stdout
        self.assertIn(str(table["rows"] * table["row_bytes"]), sizes)

    def test_what_cannot_be_bundled_is_named(self):
        for arguments, part in (([self.MODEL], "octavo prepare dlrm"), ([self.package, "--labels", "x.txt"], "no classes")):
            done = run(OCTAVO, "bundle", *arguments, "-o", self.folder / "x.tgz")
            self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
            self.assertIn(part, done.stderr)
        damaged = self.folder / "damaged"
        shutil.copytree(self.package, damaged)
        os.truncate(damaged / "tables/0.s4_codebook", 5)
        done = run(OCTAVO, "bundle", damaged, "-o", self.folder / "x.tgz")
        self.assertEqual(done.returncode, 1)
        self.assertIn("tables/0.s4_codebook", done.stderr)
        self.assertFalse((self.folder / "x.tgz").exists())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        OCTAVO = pathlib.Path(sys.argv.pop(1)).absolute()
    unittest.main()
