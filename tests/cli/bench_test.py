#!/usr/bin/env python3
"""Runs `octavo bench` and `octavo profile` on the embedded model: reports agree with each other, wrong usage is found at once.

usage: bench_test.py OCTAVO        (ctest passes the binary)"""

import csv
import html.parser
import json
import math
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
OCTAVO = pathlib.Path("build/release/bin/octavo")
MODEL = ROOT / "assets/demo/shapes_resnet.pt"
DATA = pathlib.Path(os.environ.get("OCTAVO_TEST_DATA", ROOT / "../shared/data"))
CPUS = sorted(os.sched_getaffinity(0))


def octavo(*arguments, **options):
    return subprocess.run([OCTAVO, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)


def nearest_rank(values, share):
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]


class Bench(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp())
        cls.package = cls.shared / "shapes.tar"
        assert octavo("compile", "-q", MODEL, "-o", cls.package).returncode == 0

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.shared)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def bench(self, *arguments):
        result = octavo("bench", self.package, *(() if "--seconds" in arguments else ("--seconds", "0.1")), *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def rows(self, path):
        with open(path, newline="") as file:
            return list(csv.DictReader(file))

    def expect_usage_error(self, *arguments, says):
        begin = time.monotonic()
        result = octavo("bench", self.package, "--seconds", "60", *arguments)
        self.assertEqual(result.returncode, 2, (arguments, result.stdout, result.stderr))
        self.assertIn(says, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertLess(time.monotonic() - begin, 20, "found before the run")
        self.assertEqual(os.listdir(self.folder), [])

    def test_json_has_the_names_that_scripts_rely_on(self):
        report = json.loads(self.bench("--threads", "1", "--batch", "1,4", "--json", "-"))
        self.assertEqual([point["batch"] for point in report["points"]], [1, 4])
        for point in report["points"]:
            self.assertGreater(point["items_per_second"], 0)
            self.assertGreaterEqual(point["latency_ms"]["p99"], point["latency_ms"]["p50"])
            self.assertIn("peak_ops_per_second", point)
            self.assertIn("peak_fraction", point)
            self.assertGreater(len(point["steps"]), 5)
        self.assertIn("package_sha256", report["facts"])

    def test_settings_are_compared_by_turn(self):
        report = json.loads(self.bench("--threads", "1", "--batch", "1,2", "--turns", "3", "--json", "-"))
        self.assertEqual([point["batch"] for point in report["points"]], [1, 2] * 3)
        first, second = report["over_turns"]
        self.assertEqual(first["to_first"], {"median": 1, "least": 1, "most": 1})
        rates = [point["items_per_second"] for point in report["points"]]
        ratios = sorted(rates[i + 1] / rates[i] for i in (0, 2, 4))
        self.assertAlmostEqual(second["to_first"]["median"], ratios[1], 6)
        self.assertEqual(second["batch"], 2)

    def test_every_mode_measures_and_its_csv_agrees_with_its_json(self):
        for mode in ("fixed", "latency", "throughput", "scalability", "single-stream", "multi-stream", "offline"):
            where = self.folder / f"{mode}.csv"
            report = json.loads(self.bench("--mode", mode, "--csv", where, "--json", "-"))
            rows = self.rows(where)
            self.assertEqual(len(rows), len(report["points"]))
            self.assertEqual(len(rows), len(CPUS) if mode in ("latency", "throughput", "scalability") else 1)
            for row, point in zip(rows, report["points"]):
                self.assertEqual(row["mode"], mode)
                self.assertEqual(int(row["instances"]), point["instances"])
                self.assertAlmostEqual(float(row["p99_ms"]), point["latency_ms"]["p99"], places=5)
                self.assertAlmostEqual(float(row["items_per_second"]), point["items_per_second"], places=4)
                self.assertEqual(row["complete"], "yes")
                self.assertNotEqual(row["cpu"], "")

    def test_the_server_keeps_a_generous_bound(self):
        report = json.loads(self.bench("--mode", "server", "--rate", "50", "--bound-ms", "5000", "--json", "-"))
        self.assertTrue(report["points"][0]["server"]["met"])

    def test_percentiles_agree_with_the_raw_dump(self):
        raw = self.folder / "raw.csv"
        report = json.loads(self.bench("--seconds", "0.5", "--batch", "1,2", "--raw", raw, "--json", "-"))
        lines = raw.read_text().splitlines()
        self.assertTrue(any(line.startswith("# package_sha256: ") for line in lines))
        records = list(csv.DictReader(line for line in lines if not line.startswith("#")))
        for number, point in enumerate(report["points"]):
            latencies = [int(record["latency_ns"]) for record in records if int(record["point"]) == number]
            self.assertEqual(len(latencies), point["runs"])
            for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)):
                exact = nearest_rank(latencies, share) * 1e-6
                self.assertAlmostEqual(point["latency_ms"][name], exact, delta=exact / 4000)

    def test_the_demos_csv_has_its_layout(self):
        where = self.folder / "demo.csv"
        self.bench("--mode", "scalability", "--csv-format", "demo", "--csv", where)
        lines = where.read_text().splitlines()
        self.assertEqual(len(lines), len(CPUS))
        for count, line in enumerate(lines, 1):
            swept, latency, an_item = line.split("; ")
            self.assertEqual(int(swept), count)
            self.assertGreater(float(latency), 0)
            self.assertGreater(float(an_item), 0)
        self.assertIn("package_sha256,", (self.folder / "demo.csv.facts.csv").read_text())

    def test_a_hint_says_what_it_picks(self):
        self.assertRegex(self.bench("--hint", "throughput"), r"--hint throughput: \d+ instances of 1 threads")

    def test_instances_may_share_cpus_and_their_weights(self):
        model = DATA / "resnet50_int8_traced.pt"
        if not model.exists():
            self.skipTest(f"NO TEST DATA: {model} is not there; set OCTAVO_TEST_DATA")
        package = self.folder / "resnet50.tar"
        self.assertEqual(octavo("compile", "-q", model, "-o", package).returncode, 0)
        arguments = ("--share-cpus", "--instances", "1,4", "--seconds", "0.1", "--json", "-")
        report = json.loads(octavo("bench", package, *arguments).stdout)
        one, four = (point["rss_bytes"] for point in report["points"])
        self.assertLess(four, 1.5 * one)

    def test_real_arrays_and_pictures_are_scored(self):
        self.bench("--inputs", ROOT / "src/data/testdata/rgb_444.jpg", "--batch", "2")
        result = octavo("bench", self.package, "--inputs", ROOT / "src/data/testdata/numbers_f4.npy")
        self.assertEqual(result.returncode, 2)
        self.assertIn("expected f32", result.stderr)

    def test_an_interrupted_run_leaves_a_valid_csv_and_prints_what_it_measured(self):
        where = self.folder / "cut.csv"
        child = subprocess.Popen(
            [OCTAVO, "bench", self.package, "--seconds", "60", "--batch", "1,2", "--csv", where],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while not where.exists():
            time.sleep(0.05)
        time.sleep(1.5)
        child.send_signal(signal.SIGINT)
        printed, complaints = child.communicate(timeout=30)
        self.assertEqual(child.returncode, 130, complaints)
        self.assertIn("interrupted", printed)
        rows = self.rows(where)
        self.assertEqual(len(rows), 1)
        self.assertEqual(rows[0]["complete"], "no")
        self.assertGreater(int(rows[0]["runs"]), 0)

    def test_wrong_usage_is_found_before_the_run(self):
        self.expect_usage_error("--cpus", f"{CPUS[0]},4000", says="CPU 4000 is not among those")
        self.expect_usage_error("--cpus", "none", says="'none'")
        self.expect_usage_error("--cpus", f"{CPUS[0]},{CPUS[0]}", "--threads", "2", says="named twice")
        self.expect_usage_error("--threads", len(CPUS) + 1, says=f"need {len(CPUS) + 1} CPUs")
        self.expect_usage_error("--instances", len(CPUS) + 1, says=f"need {len(CPUS) + 1} CPUs")
        self.expect_usage_error("--seconds", "0", says="--seconds")
        self.expect_usage_error("--csv", self.folder / "no" / "x.csv", says="no/x.csv")
        self.expect_usage_error("--csv", self.folder, says=str(self.folder))
        self.expect_usage_error("--json", self.folder / "no" / "x.json", says="no/x.json")
        self.expect_usage_error("--raw", self.folder / "no" / "x.raw", says="no/x.raw")
        self.expect_usage_error("--mode", "fast", says="'fast'")
        self.expect_usage_error("--mode", "latency", "--instances", "2", says="mode latency has 1 instance")
        self.expect_usage_error("--mode", "scalability", "--hint", "latency", says="no hint")
        self.expect_usage_error("--kernels", "conv2d:bogus", says="bogus")
        self.expect_usage_error("--mode", "server", "--raw", self.folder / "x.raw", says="--rate")
        self.expect_usage_error("--against", "onednn", "--csv", self.folder / "x.csv", says="--json")


class Dlrm(unittest.TestCase):
    MODEL = DATA / "dlrm/small_dlrm.pt"

    def setUp(self):
        if not self.MODEL.exists():
            self.skipTest(f"NO TEST DATA: {self.MODEL} is not there; set OCTAVO_TEST_DATA")

    def points(self, *arguments):
        result = octavo("bench", self.MODEL, "--data", "zipf:8192", "--seconds", "0.2", "--json", "-", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)["points"]

    def test_pairs_are_scored_in_batches(self):
        one, many = self.points("--batch", "1,512")
        self.assertEqual(many["items"], 512 * many["runs"])
        self.assertGreater(many["items_per_second"], one["items_per_second"])
        self.assertGreater(one["macs_per_item"], 0)

    def test_mlperf_samples_are_many_pairs(self):
        (point,) = self.points("--pairs", "mlperf", "--mode", "offline", "--batch", "2", "--samples", "100")
        self.assertGreater(point["items"], 100 * 100 * 0.9)
        (server,) = self.points("--pairs", "mlperf", "--mode", "server", "--rate", "20", "--bound-ms", "5000", "--max-batch", "2")
        self.assertTrue(server["server"]["met"])

    def test_data_that_does_not_fit_is_named(self):
        result = octavo("bench", self.MODEL, "--data", DATA / "dlrm/small_dlrm_bags.npz")
        self.assertEqual(result.returncode, 1)
        self.assertIn("bags", result.stderr)
        result = octavo("bench", self.MODEL, "--data", "zipf:4", "--batch", "8")
        self.assertEqual(result.returncode, 2)
        self.assertIn("8 samples at once, the data makes 4", result.stderr)
        result = octavo("bench", self.MODEL, "--against", "onednn")
        self.assertEqual(result.returncode, 1)
        self.assertIn("is a recommendation model", result.stderr)


class Against(unittest.TestCase):
    MODEL = DATA / "cifar10_resnet20_int8_qdq.onnx"

    def against(self, peer, variable, largest_share):
        if not self.MODEL.exists():
            self.skipTest(f"NO TEST DATA: {self.MODEL} is not there; set OCTAVO_TEST_DATA")
        if variable not in os.environ:
            self.skipTest(f"NOT TESTED: {variable} does not name the library of {peer}")
        result = octavo("bench", "-q", self.MODEL, "--against", peer, "--seconds", "0.5", "--batch", "1,3", "--json", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        points = json.loads(result.stdout)["points"]
        self.assertEqual([point["batch"] for point in points], [1, 3])
        for point in points:
            self.assertEqual(len(point["ours_items_per_second"]), 5)
            self.assertGreater(point["ratio"]["median"], 0)
            self.assertLessEqual(point["largest_difference"], largest_share * point["largest_output"])

    def test_onnxruntime_gives_the_same_outputs(self):
        self.against("onnxruntime", "OCTAVO_ONNXRUNTIME", 0.02)

    def test_openvino_gives_about_the_same_outputs(self):
        self.against("openvino", "OCTAVO_OPENVINO", 0.5)

    def test_onednn_runs_float_models(self):
        model = DATA / "cifar10_resnet20_f32.onnx"
        if not model.exists():
            self.skipTest(f"NO TEST DATA: {model} is not there; set OCTAVO_TEST_DATA")
        result = octavo("bench", "-q", model, "--against", "onednn", "--seconds", "0.2", "--json", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(json.loads(result.stdout)["points"][0]["peer"], r"oneDNN, \d+ of \d+ steps")

    def test_an_absent_peer_and_a_model_that_it_cannot_read_are_named(self):
        environment = {**os.environ, "VIRTUAL_ENV": "", "OCTAVO_OPENVINO": "/no/such/libopenvino_c.so"}
        if self.MODEL.exists():
            result = octavo("bench", "-q", self.MODEL, "--against", "openvino", env=environment)
            self.assertEqual(result.returncode, 1)
            self.assertIn("/no/such/libopenvino_c.so", result.stderr)
        result = octavo("bench", "-q", MODEL, "--against", "openvino")
        self.assertEqual(result.returncode, 2)
        self.assertIn("reads ONNX files", result.stderr)
        result = octavo("bench", "-q", MODEL, "--against", "onednn")
        self.assertEqual(result.returncode, 1)
        self.assertIn("solve no step", result.stderr)


class Page(html.parser.HTMLParser):
    """Counts elements and checks that every one that is opened is closed in turn."""

    VOID = {"meta", "br", "img", "hr", "input", "link"}

    def __init__(self):
        super().__init__()
        self.open, self.counts, self.problems = [], {}, []

    def handle_starttag(self, tag, attributes):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name in ("src", "href") or (value or "").startswith("http"):
                self.problems.append(f"{tag} {name}={value}: the page must need nothing else")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")


class Profile(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def profile(self, *arguments):
        result = octavo("profile", "-q", MODEL, "--seconds", "0.1", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_shares_and_peaks_add_up(self):
        report = json.loads(self.profile("--json", "-", "--batch", "2"))
        self.assertAlmostEqual(sum(step["share"] for step in report["steps"]), 1, places=6)
        self.assertAlmostEqual(sum(layer["share"] for layer in report["layers"]), 1, places=6)
        self.assertAlmostEqual(sum(kernel["share"] for kernel in report["kernels"]), 1, places=6)
        self.assertGreater(report["peaks"]["l2_bytes_per_second"], 1e9)
        for number, step in enumerate(report["steps"]):
            self.assertTrue(all(0 <= source < number for source in step["reads"]), step)
            self.assertGreater(step["bytes"], 0)
        self.assertGreater(sum(len(step["reads"]) > 1 for step in report["steps"]), 0, "residual steps read two")

    def test_tables_are_printed(self):
        self.assertIn("conv2d", self.profile())
        for group in ("layer", "kernel", "problem"):
            self.assertIn("group", self.profile("--group", group))

    def test_the_trace_has_every_thread_in_order(self):
        where = self.folder / "trace.json"
        threads = min(2, len(CPUS))
        self.profile("--threads", threads, "--trace", where)
        events = json.loads(where.read_text())["traceEvents"]
        for thread in range(threads):
            spans = [event for event in events if event["ph"] == "X" and event["tid"] == thread + 1]
            self.assertGreater(len(spans), 10)
            for before, after in zip(spans, spans[1:]):
                self.assertLessEqual(round(1e3 * (before["ts"] + before["dur"])), round(1e3 * after["ts"]))

    def test_the_page_is_whole_and_needs_nothing_else(self):
        where = self.folder / "page.html"
        self.profile("--html", where)
        text = where.read_text()
        page = Page()
        page.feed(text)
        self.assertEqual(page.problems, [])
        self.assertEqual(page.open, [])
        self.assertGreater(page.counts["circle"], 3)
        self.assertGreater(page.counts["path"], 3)
        self.assertNotIn("http", text)
        self.assertNotIn("nan", text.lower().replace("nano", ""))
        begin = 0
        for kind in ("roofline", "timeline", "graph"):
            begin = text.index(f'<svg class="{kind}"')
            picture = xml.etree.ElementTree.fromstring(text[begin : text.index("</svg>", begin) + 6])
            _, _, width, height = map(float, picture.get("viewBox").split())
            for shape in picture.iter("rect"):
                self.assertGreaterEqual(float(shape.get("x")), 0)
                self.assertLessEqual(float(shape.get("x")) + float(shape.get("width")), width + 1)
                self.assertLessEqual(float(shape.get("y")) + float(shape.get("height")), height + 1)

    def test_a_browser_shows_the_page(self):
        browser = shutil.which("chromium")
        if browser is None:
            self.skipTest("NOT TESTED: chromium is not installed")
        where, picture = self.folder / "page.html", self.folder / "page.png"
        self.profile("--html", where)
        # Clicks the head of the column of times, so that the script shows whether it sorts.
        click = "<script>document.querySelectorAll('h2 + div th')[2].click()</script></body>"
        where.write_text(where.read_text().replace("</body>", click))
        common = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.folder}/browser"]
        dom = subprocess.run([*common, "--dump-dom", where.as_uri()], capture_output=True, text=True, timeout=120).stdout
        table = dom[dom.index("<h2>Layers</h2>") : dom.index("<h2>Kernels</h2>")]
        times = [float(cell.split('"')[1]) for cell in table.split("<td data-v=")[2::5]]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertGreater(len(times), 2)
        subprocess.run([*common, "--window-size=1080,1600", f"--screenshot={picture}", where.as_uri()],
                       capture_output=True, timeout=120)
        self.assertGreater(picture.stat().st_size, 30_000, "a picture of something")

    def test_wrong_usage_is_exit_code_2(self):
        for arguments in (["--threads", "4000"], ["--cpus", "x"], ["--batch", "0"], ["--kernels", "bogus"]):
            result = octavo("profile", "-q", MODEL, *arguments)
            self.assertEqual(result.returncode, 2, (arguments, result.stderr))


class DlrmProfile(unittest.TestCase):
    MODEL = ROOT / "tests/golden/dlrm/dot.pt"

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.package = cls.folder / "dot"
        result = octavo("prepare", "dlrm", "--from", cls.MODEL, "--precision", "s4_codebook", "--calibrate", "zipf:512", "-o", cls.package)
        assert result.returncode == 0, result.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def profile(self, model, *arguments):
        result = octavo("profile", model, "--seconds", "0.1", "--batch", "600", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_stages_are_in_the_order_of_time_and_add_up(self):
        for arithmetic in ("f32", "int8"):
            report = json.loads(self.profile(self.package, "--arithmetic", arithmetic, "--json", "-"))
            names = [step["origin"] for step in report["steps"]]
            self.assertEqual(names[0], "check")
            self.assertEqual("input" in names, arithmetic == "int8")
            self.assertLess(names.index("gather"), names.index("interaction"))
            self.assertEqual(names[-1], "sigmoid")
            self.assertAlmostEqual(sum(step["share"] for step in report["steps"]), 1, places=6)
            self.assertEqual([step["origin"] for step in report["steps"] if step["reads_memory"]], ["gather"])
            layers = [step for step in report["steps"] if step["problem"].startswith(f"layer {arithmetic} ")]
            self.assertEqual(len(layers), sum(name.startswith(("bottom.", "top.")) for name in names))
            peak = report["peaks"][f"{arithmetic}_ops_per_second"]  # 0 where it is unknown
            for step in layers:
                self.assertGreater(step["macs"], 0)
                self.assertEqual(step["ops_fraction"] > 0, peak > 0)
            times = sum(step["median_us"] for step in report["steps"])
            self.assertLess(times, 1.5 * report["median_run_us"])
            self.assertGreater(times, 0.5 * report["median_run_us"])

    def test_it_takes_what_run_takes(self):
        threads = str(min(2, len(CPUS)))
        table = self.profile(self.package, "--tables", "mapped", "--threads", threads, "--data", "zipf:700:1.2", "--in-order")
        self.assertIn("gather s4_codebook", table)
        self.assertIn("gather f16", self.profile(self.MODEL, "--precision", "f16", "--kernels", "reference"))
        self.assertIn("group", self.profile(self.package, "--group", "layer"))

    def test_trace_and_page_show_every_stage(self):
        trace, page = self.folder / "trace.json", self.folder / "page.html"
        self.profile(self.package, "--arithmetic", "int8", "--trace", trace, "--html", page)
        events = [event for event in json.loads(trace.read_text())["traceEvents"] if event["ph"] == "X"]
        names = [event["name"] for event in events]
        self.assertGreaterEqual(names.count("gather"), 2, "600 samples are several chunks")
        for before, after in zip(events, events[1:]):
            self.assertLessEqual(before["ts"] + before["dur"], after["ts"] + 1e-3)
        text = page.read_text()
        parsed = Page()
        parsed.feed(text)
        self.assertEqual(parsed.problems, [])
        self.assertIn("interaction", text)

    def test_what_does_not_fit_is_wrong_usage(self):
        for arguments, part in ((["--kernels", "bogus"], "bogus"), (["--inputs", "x.npy"], "--data"),
                                (["--data", "zipf:10", "--batch", "20"], "20 samples at once"), (["--threads", "4000"], "4000")):
            result = octavo("profile", self.package, *arguments)
            self.assertEqual(result.returncode, 2, (arguments, result.stderr))
            self.assertIn(part, result.stderr)
        result = octavo("profile", self.MODEL, "--arithmetic", "int8")
        self.assertEqual(result.returncode, 1)
        self.assertIn("calibrat", result.stderr)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        OCTAVO = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
