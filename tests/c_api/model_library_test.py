#!/usr/bin/env python3
"""Uses saved_model_0.tar.so as its users do: from C, from ctypes, beside PyTorch; its outputs are those of `octavo run`.

usage: model_library_test.py OCTAVO        (ctest passes the binary)"""

import array
import ctypes
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
OCTAVO = pathlib.Path("build/release/bin/octavo")
MODEL = ROOT / "assets/demo/shapes_resnet.pt"
SHAPE = (3, 32, 32)
CLASSES = 10
OK, INVALID_ARGUMENT, INVALID_MODEL, UNSUPPORTED, IO = range(5)


class Array(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_size_t),
                ("shape", ctypes.c_int64 * 8)]


class Port(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_size_t),
                ("shape", ctypes.c_int64 * 8), ("is_batched", ctypes.c_int)]


def load(path):
    library = ctypes.CDLL(str(path))
    library.octavo_last_error.restype = ctypes.c_char_p
    library.octavo_version.restype = ctypes.c_char_p
    library.octavo_model_name.restype = ctypes.c_char_p
    library.octavo_model_input_count.restype = ctypes.c_size_t
    return library


def floats_of(port):
    return Array(None, port.dtype, port.rank, port.shape)


def octavo(*arguments):
    return subprocess.run([OCTAVO, *arguments], capture_output=True, text=True, timeout=120, check=True)


def npy(shape, values):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': %r, }" % (tuple(shape),)
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + values.tobytes()


def npy_values(path):
    data = path.read_bytes()
    return array.array("f", data[10 + int.from_bytes(data[8:10], "little"):])


class ModelLibrary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="octavo model library."))
        octavo("compile", "-q", MODEL, "--input-shape", "3,32,32", "--output-folder", cls.folder)
        cls.path = cls.folder / "saved_model_0.tar.so"
        cls.package = cls.folder / "saved_model_0.tar"
        cls.batch = 5
        rng = random.Random(6)
        cls.values = array.array("f", (rng.uniform(-1, 1) for _ in range(cls.batch * 3 * 32 * 32)))
        (cls.folder / "x.npy").write_bytes(npy((cls.batch, *SHAPE), cls.values))
        octavo("run", cls.package, cls.folder / "x.npy", "-o", cls.folder / "y.npy")
        cls.expected = npy_values(cls.folder / "y.npy").tobytes()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def good(self, library, status):
        self.assertEqual(status, OK, library.octavo_last_error())

    def expect_failure(self, library, status, code, *parts):
        self.assertEqual(status, code, library.octavo_last_error())
        for part in parts:
            self.assertIn(part, library.octavo_last_error().decode())

    def model(self, library, weights=None):
        model = ctypes.c_void_p()
        self.good(library, library.octavo_model_attached(weights, ctypes.byref(model)))
        return model

    def session(self, library, model, threads=1, cpus=None):
        session = ctypes.c_void_p()
        self.good(library, library.octavo_session_open(model, threads, cpus, ctypes.byref(session)))
        return session

    def scores(self, library, model, session):
        port, x, y = Port(), Array(), Array()
        self.good(library, library.octavo_model_input(model, 0, ctypes.byref(port)))
        name = port.name
        x = floats_of(port)
        x.shape[0] *= self.batch
        x.data = self.values.buffer_info()[0]
        self.good(library, library.octavo_session_set_input(session, name, ctypes.byref(x)))
        self.good(library, library.octavo_session_run(session))
        self.good(library, library.octavo_model_output(model, 0, ctypes.byref(port)))
        self.good(library, library.octavo_session_output(session, port.name, ctypes.byref(y)))
        self.assertEqual(list(y.shape)[: y.rank][0], self.batch)
        return ctypes.string_at(y.data, len(self.expected))

    def test_it_needs_the_c_library_alone(self):
        text = subprocess.run(["readelf", "-d", self.path], capture_output=True, text=True, check=True).stdout
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", text))
        self.assertLessEqual(needed, {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "ld-linux-x86-64.so.2"})

    def test_it_shows_nothing_but_its_interface(self):
        text = subprocess.run(["nm", "-D", "--defined-only", self.path], capture_output=True, text=True, check=True)
        names = {line.split(" ", 2)[2] for line in text.stdout.splitlines()} - {"OCTAVO_1"}
        declared = re.findall(r"\b(octavo_\w+)\(", re.sub(r"/\*.*?\*/", "", (ROOT / "include/octavo/c_api.h").read_text(), flags=re.S))
        self.assertEqual(names, {f"{name}@@OCTAVO_1" for name in declared})

    def test_a_c_program_gets_the_outputs_of_octavo_run(self):
        program = self.folder / "score"
        subprocess.run(["cc", "-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-I", ROOT / "include",
                        ROOT / "examples/score.c", "-o", program, "-ldl"], check=True)
        (self.folder / "x.f32").write_bytes(self.values.tobytes())
        subprocess.run([program, self.path, str(self.batch), self.folder / "x.f32", self.folder / "y.f32"], check=True)
        self.assertEqual((self.folder / "y.f32").read_bytes(), self.expected)

    def test_ctypes_gets_the_outputs_of_octavo_run(self):
        library = load(self.path)
        model = self.model(library)
        self.assertEqual(library.octavo_model_input_count(model), 1)
        session = self.session(library, model, threads=2, cpus=None)
        self.assertEqual(self.scores(library, model, session), self.expected)
        library.octavo_model_close(model)  # the session keeps what it needs
        self.assertEqual(library.octavo_session_run(session), OK)
        library.octavo_session_close(session)

    def test_sessions_of_many_threads_get_the_same_outputs(self):
        library = load(self.path)
        model = self.model(library)
        found = []

        def work():
            session = self.session(library, model)
            found.extend(self.scores(library, model, session) for _ in range(5))
            library.octavo_session_close(session)

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(found, [self.expected] * 20)
        library.octavo_model_close(model)

    def test_packages_are_read_from_files_and_from_memory(self):
        library = load(self.path)
        model = ctypes.c_void_p()
        self.good(library, library.octavo_model_open(str(self.package).encode(), ctypes.byref(model)))
        self.assertEqual(self.scores(library, model, self.session(library, model)), self.expected)
        data = self.package.read_bytes()
        for shift in (0, 1):  # memory that is not aligned is copied
            memory = ctypes.create_string_buffer(b"\0" * shift + data)
            self.good(library, library.octavo_model_read(ctypes.byref(memory, shift), ctypes.c_size_t(len(data)), ctypes.byref(model)))
            self.assertEqual(self.scores(library, model, self.session(library, model)), self.expected)

    def test_weights_may_stay_outside(self):
        folder = self.folder / "external"
        octavo("compile", "-q", MODEL, "--input-shape", "3,32,32", "--output-folder", folder, "--weights", "external")
        path = folder / "saved_model_0.tar.so"
        self.assertLess(path.stat().st_size, self.path.stat().st_size)
        library = load(path)
        model = ctypes.c_void_p()
        self.expect_failure(library, library.octavo_model_attached(None, ctypes.byref(model)), INVALID_ARGUMENT, "without weights")
        model = self.model(library, str(folder / "saved_model_0.tar").encode())
        self.assertEqual(self.scores(library, model, self.session(library, model)), self.expected)
        damaged = bytearray(self.package.read_bytes())
        damaged[-3000] ^= 1
        (folder / "damaged.tar").write_bytes(damaged)
        status = library.octavo_model_attached(str(folder / "damaged.tar").encode(), ctypes.byref(model))
        self.expect_failure(library, status, INVALID_MODEL, "damaged")

    def test_the_file_may_go_once_it_is_loaded(self):
        path = shutil.copy(self.path, self.folder / "gone.so")
        library = load(path)
        os.unlink(path)
        model = self.model(library)
        self.assertEqual(self.scores(library, model, self.session(library, model)), self.expected)

    def test_wrong_calls_are_told_so(self):
        library = load(self.path)
        model = self.model(library)
        session = self.session(library, model)
        port, x, nothing = Port(), Array(), ctypes.c_void_p()
        self.good(library, library.octavo_model_input(model, 0, ctypes.byref(port)))
        fail = lambda status, code, *parts: self.expect_failure(library, status, code, *parts)
        fail(library.octavo_model_input(model, 9, ctypes.byref(port)), INVALID_ARGUMENT, "port 9 of 1")
        fail(library.octavo_model_input(None, 0, ctypes.byref(port)), INVALID_ARGUMENT, "'model'")
        fail(library.octavo_session_run(None), INVALID_ARGUMENT, "'session'")
        fail(library.octavo_session_run(session), INVALID_ARGUMENT, "was not given")
        fail(library.octavo_session_output(session, b"nope", ctypes.byref(x)), INVALID_ARGUMENT, "'nope'")
        x = floats_of(port)
        fail(library.octavo_session_set_input(session, port.name, ctypes.byref(x)), INVALID_ARGUMENT, "null pointer")
        x.data = self.values.buffer_info()[0]
        fail(library.octavo_session_set_input(session, b"nope", ctypes.byref(x)), INVALID_ARGUMENT, "'nope'")
        x.rank = 9
        fail(library.octavo_session_set_input(session, port.name, ctypes.byref(x)), INVALID_ARGUMENT, "9 extents")
        x.rank, x.dtype = 4, 77
        fail(library.octavo_session_set_input(session, port.name, ctypes.byref(x)), INVALID_ARGUMENT, "77")
        x.dtype = 4
        fail(library.octavo_session_set_input(session, port.name, ctypes.byref(x)), INVALID_ARGUMENT, "u8")
        fail(library.octavo_session_open(model, 1, b"x-y", ctypes.byref(nothing)), INVALID_ARGUMENT, "'x-y'")
        fail(library.octavo_session_open(model, 0, None, ctypes.byref(nothing)), INVALID_ARGUMENT, "0")
        fail(library.octavo_model_open(b"/none.tar", ctypes.byref(nothing)), IO, "/none.tar")
        fail(library.octavo_model_open(str(MODEL).encode(), ctypes.byref(nothing)), INVALID_MODEL)
        fail(library.octavo_model_read(b"rubbish", ctypes.c_size_t(7), ctypes.byref(nothing)), INVALID_MODEL)
        self.assertIsNone(nothing.value)
        library.octavo_model_close(None)
        library.octavo_session_close(None)

    def test_an_instruction_set_that_is_not_there_is_named(self):
        code = (f"import sys; sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r}); import ctypes, model_library_test as t\n"
                f"l = t.load({str(self.path)!r}); m = ctypes.c_void_p(); s = ctypes.c_void_p()\n"
                "assert l.octavo_model_attached(None, ctypes.byref(m)) == 0\n"
                "print(l.octavo_session_open(m, 1, None, ctypes.byref(s)), l.octavo_last_error().decode())")
        done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "OCTAVO_ISA": "avx9000"},
                              capture_output=True, text=True, check=True)
        self.assertTrue(done.stdout.startswith(f"{INVALID_ARGUMENT} "), done.stdout)
        self.assertIn("avx9000", done.stdout)

    def test_it_lives_beside_pytorch(self):
        python = os.environ.get("OCTAVO_TORCH_PYTHON", sys.executable)
        if subprocess.run([python, "-c", "import torch"], capture_output=True).returncode != 0:
            self.skipTest(f"SKIPPED: {python} has no PyTorch (OCTAVO_TORCH_PYTHON names one that has)")
        code = (f"import sys; sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r}); import torch, model_library_test as t\n"
                f"c = t.ModelLibrary('test_it_lives_beside_pytorch'); c.setUpClass(); l = t.load(c.path)\n"
                "m = c.model(l); s = c.session(l, m, threads=2); a = torch.randn(256, 256)\n"
                "for _ in range(20): a = torch.tanh(a @ a); assert c.scores(l, m, s) == c.expected\n"
                "c.tearDownClass(); print('same')")
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, cwd=ROOT,
                              env={**os.environ, "OCTAVO_BINARY": str(OCTAVO)})
        self.assertEqual(done.stdout, "same\n", done.stderr)


OCTAVO = pathlib.Path(os.environ.get("OCTAVO_BINARY", OCTAVO)).absolute()
if __name__ == "__main__":
    if len(sys.argv) > 1:
        OCTAVO = pathlib.Path(sys.argv.pop(1)).absolute()
    unittest.main()
