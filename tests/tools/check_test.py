#!/usr/bin/env python3
"""Each check in tools/checks can fail: run on a small project that offends, and on one that does not."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class ChecksTest(unittest.TestCase):
    def run_check(self, name, files):
        """Runs a check in a new project of these files (path -> text or bytes): whether it passed, what it printed."""
        with tempfile.TemporaryDirectory() as folder:
            project = pathlib.Path(folder)
            for path, content in {"cmake/octavo.cmake": (ROOT / "cmake/octavo.cmake").read_bytes(), **files}.items():
                (project / path).parent.mkdir(parents=True, exist_ok=True)
                data = content.encode() if isinstance(content, str) else content
                (project / path).write_bytes(data.replace(b"PROJECT", os.fsencode(project)))
            subprocess.run(["git", "init", "-q", folder], check=True)
            done = subprocess.run([ROOT / "tools/checks" / name], cwd=folder, capture_output=True, text=True)
            return done.returncode == 0, done.stdout + done.stderr

    def accepts(self, name, files):
        passed, output = self.run_check(name, files)
        self.assertTrue(passed, output)

    def refuses(self, name, files, words):
        passed, output = self.run_check(name, files)
        self.assertFalse(passed, "expected an offence")
        self.assertIn(words, output)

    def need(self, tool):
        if not shutil.which(tool):
            self.skipTest(f"{tool} is not installed: tools/install_deps check")

    def test_format_refuses_a_file_laid_out_otherwise(self):
        self.need("clang-format")
        style = {".clang-format": "BasedOnStyle: Google\n"}
        self.accepts("format", {**style, "src/base/a.h": "int f();\n"})
        self.refuses("format", {**style, "src/base/a.h": "int  f( );\n"}, "src/base/a.h")

    def test_file_sizes_refuses_601_lines_without_a_reason(self):
        lists = {"tools/checks/long_files.txt": "# none\n"}
        self.accepts("file_sizes", {**lists, "src/base/a.cpp": "\n" * 600})
        self.refuses("file_sizes", {**lists, "src/base/a.cpp": "\n" * 601}, "src/base/a.cpp: 601 lines")
        listed = {"tools/checks/long_files.txt": "src/base/a.cpp a table, one row a line\n"}
        self.accepts("file_sizes", {**listed, "src/base/a.cpp": "\n" * 601})
        self.refuses("file_sizes", {**listed, "src/base/a.cpp": "\n" * 10}, "needs no entry")
        self.refuses("file_sizes", listed, "does not exist")
        unreasoned = {"tools/checks/long_files.txt": "src/base/a.cpp\n"}
        self.refuses("file_sizes", {**unreasoned, "src/base/a.cpp": "\n" * 601}, "has no reason")

    def test_include_order_refuses_an_include_that_points_right(self):
        def project(path, include):
            headers = ["src/base/b.h", "src/data/d.h", "src/package/p.h", "src/engine/kernels/k.h", "src/engine/session/s.h"]
            headers += ["src/compiler/graph/g.h", "src/compiler/passes/x.h", "include/octavo/t.h"]
            return {**dict.fromkeys(headers, ""), path: f"#include {include}\n"}

        for path, include in (
            ("src/package/x.cpp", '"base/b.h"'),
            ("src/base/x.cpp", '"octavo/t.h"'),
            ("src/engine/session/x.cpp", '"engine/kernels/k.h"'),
            ("src/compiler/lower/x.cpp", '"compiler/passes/x.h"'),
            ("src/cli/x.cpp", '"data/d.h"'),
            ("src/compiler/import/onnx/x.cpp", "<onnx/onnx_pb.h>"),
            ("src/engine/kernels/onednn/x.cpp", "<dnnl.hpp>"),
            ("include/octavo/x.h", "<cstdint>"),
        ):
            self.accepts("include_order", project(path, include))
        for path, include, words in (
            ("src/base/x.cpp", '"package/p.h"', "src/base does not see src/package"),
            ("src/engine/kernels/x.cpp", '"engine/session/s.h"', "src/engine/kernels does not see src/engine/session"),
            ("src/engine/session/x.cpp", '"compiler/graph/g.h"', "src/engine/session does not see src/compiler/graph"),
            ("src/compiler/graph/x.cpp", '"compiler/passes/x.h"', "does not see src/compiler/passes"),
            ("src/compiler/import/x.cpp", '"compiler/passes/x.h"', "does not see src/compiler/passes"),
            ("src/package/x.cpp", '"data/d.h"', "src/package does not see src/data"),
            ("src/compiler/graph/x.cpp", "<google/protobuf/message.h>", "belongs in src/compiler/import/onnx/ alone"),
            ("src/engine/session/x.cpp", '"dnnl.hpp"', "belongs in src/engine/kernels/onednn/ alone"),
            ("include/octavo/x.h", "<fmt/format.h>", "standard library and octavo/ only"),
            ("include/octavo/x.h", '"base/b.h"', "include/octavo does not see src/base"),
            ("src/engine/kernels/x.cpp", '"k.h"', "no path from src/ or include/"),
            ("src/helpers/x.cpp", "<vector>", "lies in no room"),
        ):
            self.refuses("include_order", project(path, include), words)

    def test_headers_alone_refuses_a_header_that_lacks_an_include(self):
        self.accepts("headers_alone", {"src/base/a.h": "#include <string>\nstd::string f();\n"})
        self.refuses("headers_alone", {"src/base/a.h": "std::string f();\n"}, "src/base/a.h does not compile alone")
        # The build proves a header that its source includes first; this one it does not.
        late = {"src/base/a.h": "std::string f();\n", "src/base/a.cpp": '#include <string>\n#include "base/a.h"\n'}
        self.refuses("headers_alone", late, "src/base/a.h does not compile alone")

    def test_isa_objects_refuses_a_weak_function(self):
        strong = "#include <immintrin.h>\n__m256i f(__m256i a) { return _mm256_abs_epi8(a); }\n"
        weak = "inline int f(int a) { return a; }\nint g() { return f(1); }\n"
        self.accepts("isa_objects", {"src/engine/kernels/x_avx2.cpp": strong})
        self.refuses("isa_objects", {"src/engine/kernels/x_avx2.cpp": weak}, "weak symbol 'f(int)'")
        self.accepts("isa_objects", {"src/base/x.cpp": weak})

    def test_doc_paths_refuses_a_path_that_is_not_there(self):
        tree = {"src/base/a.h": "", "src/base/a.cpp": "", "docs/b.md": "Back to [the top](../README.md#here).\n"}
        good = "See `src/base/`, `src/base/a.{h,cpp}`, `src/base/*.h`, `base/a.h`, [b](docs/b.md); ../other/src/x.h.\n"
        self.accepts("doc_paths", {**tree, "README.md": good})
        for line in (
            "`src/base/none.h`",
            "    src/none/  a folder",
            "[b](docs/none.md)",
            "`base/none.h`",
            "src/base/{a,none}.h",
        ):
            self.refuses("doc_paths", {**tree, "README.md": f"one\n{line}\n"}, "README.md:2: '")

    def test_no_machine_names_refuses_registries_and_machine_paths(self):
        self.accepts("no_machine_names", {"a.txt": "a/work/b, framework/, https://example.org, src/home/x\n"})
        registries = ("https://py" + "pi.org/simple", "conda.anaconda" + ".org")
        for text in (*registries, "cd /wor" + "k/main", "/hom" + "e/someone/octavo"):
            self.refuses("no_machine_names", {"a.txt": f"one\n{text}\n"}, "a.txt:2: names '")

    def test_tidy_refuses_a_changed_file_with_a_finding(self):
        self.need("clang-tidy")
        database = [{"directory": "PROJECT", "file": "PROJECT/src/a.cpp", "command": "g++ -std=c++20 -c src/a.cpp"}]
        project = {".clang-tidy": "Checks: '-*,modernize-use-nullptr'\nWarningsAsErrors: '*'\n"}
        project["build/release/compile_commands.json"] = json.dumps(database)
        self.accepts("tidy", {**project, "src/a.cpp": "int* f() { return nullptr; }\n"})
        self.refuses("tidy", {**project, "src/a.cpp": "int* f() { return 0; }\n"}, "modernize-use-nullptr")


if __name__ == "__main__":
    unittest.main()
