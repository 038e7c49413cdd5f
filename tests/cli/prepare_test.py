#!/usr/bin/env python3
"""octavo prepare dlrm against a server that misbehaves, kill -9, and a disk that is full.

usage: prepare_test.py OCTAVO        (ctest passes the binary)"""

import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import dlrm_files
import mounts

OCTAVO = pathlib.Path("build/release/bin/octavo")
CHECKPOINT = dlrm_files.checkpoint([20000, 7, 30000])
MD5 = hashlib.md5(CHECKPOINT).hexdigest()


def octavo(*arguments, **options):
    return subprocess.run([OCTAVO, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)


class Server(http.server.ThreadingHTTPServer):
    """Serves CHECKPOINT at any path. `plan` holds what goes wrong with the next GETs, one word each."""

    def __init__(self, plan=(), has_ranges=True, tells_size=True):
        super().__init__(("127.0.0.1", 0), Handler)
        self.plan = list(plan)
        self.has_ranges = has_ranges
        self.tells_size = tells_size
        self.begins = []  # of each GET
        self.url = f"http://127.0.0.1:{self.server_port}/model.pt"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.send_response(200 if self.server.tells_size else 405)
        self.send_header("Content-Length", str(len(CHECKPOINT)) if self.server.tells_size else "0")
        self.end_headers()

    def do_GET(self):
        fault = self.server.plan.pop(0) if self.server.plan else "none"
        wanted = self.headers.get("Range")
        begin = int(wanted.split("=")[1].split("-")[0]) if wanted and self.server.has_ranges else 0
        self.server.begins.append(begin)
        if fault.isdigit():
            self.send_response(int(fault))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = CHECKPOINT[begin:]
        if fault == "corrupt":
            body = body[:1000] + bytes([body[1000] ^ 1]) + body[1001:]
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(CHECKPOINT) - 1}/{len(CHECKPOINT)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # a client that has seen enough
            self.wfile.write(body[: len(body) // 3] if fault == "drop" else body)
        self.close_connection = True


class Prepare(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.package = self.folder / "package"
        self.model = self.folder / "given.pt"
        self.model.write_bytes(CHECKPOINT)

    def serve(self, *plan, **options):
        server = Server(plan, **options)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def fetch(self, server, *more):
        return octavo("prepare", "dlrm", "--url", server.url, "--retry-pause-ms", "10", "-o", self.package, *more)

    def expect_whole(self, result):
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(octavo("verify", self.package, "--checksums").returncode, 0)

    def expect_failure(self, result, *parts):
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for part in parts:
            self.assertIn(str(part), result.stderr)
        self.assertFalse((self.package / "manifest.json").exists())

    def test_a_download_becomes_a_package(self):
        server = self.serve()
        self.expect_whole(self.fetch(server, "--md5", MD5))
        self.assertEqual((self.folder / "model.pt").read_bytes(), CHECKPOINT)
        self.assertFalse((self.folder / "model.pt.part").exists())

    def test_the_checkpoint_lies_beside_the_package_however_that_is_named(self):
        server = self.serve()
        self.package = f"{self.folder}/new/folder/package/"
        result = self.fetch(server, "--md5", MD5)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue((self.folder / "new/folder/model.pt").exists())
        self.assertTrue((self.folder / "new/folder/package/manifest.json").exists())

    def test_dropped_connections_are_resumed(self):
        server = self.serve("drop", "503", "drop", "drop")
        self.expect_whole(self.fetch(server, "--md5", MD5))
        self.assertEqual(server.begins[0], 0)
        self.assertGreater(server.begins[-1], len(CHECKPOINT) // 2)
        self.assertEqual(len(server.begins), 5)

    def test_a_later_run_goes_on_with_what_is_there(self):
        (self.folder / "model.pt.part").write_bytes(CHECKPOINT[:12345])
        server = self.serve()
        self.expect_whole(self.fetch(server, "--md5", MD5))
        self.assertEqual(server.begins, [12345])

    def test_a_server_without_ranges_starts_over(self):
        (self.folder / "model.pt.part").write_bytes(CHECKPOINT[:12345])
        self.expect_whole(self.fetch(self.serve(has_ranges=False), "--md5", MD5))

    def test_a_server_that_does_not_tell_the_size_will_do(self):
        self.expect_whole(self.fetch(self.serve("drop", tells_size=False), "--md5", MD5))

    def test_a_part_larger_than_the_file_starts_over(self):
        (self.folder / "model.pt.part").write_bytes(CHECKPOINT + b"more")
        self.expect_whole(self.fetch(self.serve(), "--md5", MD5))

    def test_corrupt_bytes_are_fetched_again(self):
        server = self.serve("corrupt")
        self.expect_whole(self.fetch(server, "--md5", MD5))
        self.assertEqual(server.begins, [0, 0])

    def test_bytes_that_stay_corrupt_are_refused(self):
        server = self.serve("corrupt", "corrupt", "corrupt")
        self.expect_failure(self.fetch(server, "--md5", MD5), server.url, "its MD5 is", MD5)
        self.assertFalse((self.folder / "model.pt").exists())

    def test_a_server_that_says_no_is_quoted(self):
        server = self.serve("404")
        self.expect_failure(self.fetch(server), server.url, "404")
        self.assertEqual(len(server.begins), 1)

    def test_a_server_that_keeps_failing_is_given_up(self):
        server = self.serve(*["503"] * 99)
        self.expect_failure(self.fetch(server), server.url, "8 attempts")

    def test_a_server_that_is_not_there_is_given_up(self):
        server = self.serve()
        server.shutdown()
        server.server_close()
        self.expect_failure(self.fetch(server), server.url)

    def test_other_protocols_are_refused(self):
        other = self.model.rename(self.folder / "other")
        result = octavo("prepare", "dlrm", "--url", f"file://{other}", "--download-to", self.model, "-o", self.package)
        self.expect_failure(result, "file://")

    def test_a_fetched_file_is_not_fetched_again(self):
        server = self.serve()
        self.expect_whole(self.fetch(server))
        shutil.rmtree(self.package)
        self.expect_whole(self.fetch(server))
        self.assertEqual(len(server.begins), 1)

    def test_a_checkpoint_with_64_bit_sizes_is_read(self):
        self.model.write_bytes(dlrm_files.checkpoint([20000, 7, 30000], zip64=True))
        self.expect_whole(octavo("prepare", "dlrm", "--from", self.model, "-o", self.package))

    def test_a_model_of_another_variant_is_refused(self):
        result = octavo("prepare", "dlrm", "--from", self.model, "--variant", "kaggle", "-o", self.package)
        self.expect_failure(result, "is no kaggle: it has 3 tables x 4, 50007 rows")

    def test_a_variant_that_nobody_publishes_says_so(self):
        result = octavo("prepare", "dlrm", "--variant", "kaggle", "-o", self.package)
        self.expect_failure(result, "kaggle", "--synthetic")

    def test_killed_again_and_again_it_ends_in_the_same_package(self):
        arguments = ["prepare", "dlrm", "--variant", "kaggle", "--synthetic", "--rows-scale", "0.08", "--precision", "s8_row"]
        whole = self.folder / "whole"
        begin = time.monotonic()
        self.assertEqual(octavo(*arguments, "-o", whole).returncode, 0)
        seconds = time.monotonic() - begin
        kills = 0
        done = []
        for part in range(1, 8):
            run = subprocess.Popen([OCTAVO, *arguments, "-o", self.package], stdout=subprocess.DEVNULL)
            try:
                run.wait(seconds * part / 10)
            except subprocess.TimeoutExpired:
                run.send_signal(signal.SIGKILL)
                run.wait()
                kills += 1
            if (self.package / "manifest.json").exists():
                break
            finished = {path: path.stat() for path in self.package.glob("tables/*_row")}
            state = self.package / "unfinished.json"
            done = json.loads(state.read_text())["done"] if state.exists() else []
            self.assertIn(len(finished) - len(done), (0, 1))
        self.assertGreaterEqual(kills, 1)
        self.assertEqual(octavo(*arguments, "-o", self.package).returncode, 0)
        for table in done:
            path = self.package / f"tables/{table}.s8_row"
            self.assertEqual(path.stat().st_mtime_ns, finished[path].st_mtime_ns)
        self.assertEqual(sorted(p.name for p in self.package.iterdir()), ["manifest.json", "tables", "weights"])
        self.assertEqual((self.package / "manifest.json").read_bytes(), (whole / "manifest.json").read_bytes())
        self.assertEqual(octavo("verify", self.package, "--checksums").returncode, 0)

    def test_a_file_that_cannot_grow_fails_and_is_finished_later(self):
        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

        arguments = ["prepare", "dlrm", "--from", self.model, "-o", self.package]
        self.expect_failure(octavo(*arguments, preexec_fn=small_files), "table 2: cannot write", "tables/2.f32")
        self.assertEqual(sorted(p.name for p in self.package.glob("tables/*")), ["0.f32", "1.f32"])
        self.expect_whole(octavo(*arguments))

    @unittest.skipUnless(mounts.can_mount(), "SKIPPED: no mounts of its own for a process here")
    def test_a_disk_without_room_is_told_before_the_first_table(self):
        script = f"""
            mount -t tmpfs -o size=20m tmpfs {self.folder}/disk
            head -c 19500000 /dev/zero > {self.folder}/disk/other
            {OCTAVO.resolve()} prepare dlrm --from {self.model} -o {self.folder}/disk/package; echo "rc $?"
            ls {self.folder}/disk/package
        """
        (self.folder / "disk").mkdir()
        result = subprocess.run(["unshare", "-m", "bash", "-c", script], capture_output=True, text=True, timeout=60)
        self.assertIn("rc 1", result.stdout)
        self.assertIn("its disk has", result.stderr)
        self.assertNotIn("manifest.json", result.stdout)

    def test_memory_does_not_grow_with_the_tables(self):
        arguments = ["prepare", "dlrm", "--variant", "kaggle", "--synthetic", "--precision", "s8_row", "-o", self.package]
        run = subprocess.Popen([OCTAVO, *arguments, "--rows-scale", "0.2"], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(run.returncode, 0)
        self.assertLess(usage.ru_maxrss, 200_000)  # kB; the tables have 430 MB as floats


if __name__ == "__main__":
    if len(sys.argv) > 1:
        OCTAVO = pathlib.Path(sys.argv.pop(1))
    unittest.main(verbosity=1)
