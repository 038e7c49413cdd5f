#!/usr/bin/env python3
"""The trained small DLRM through all four ways in, in every row format, against PyTorch's outputs and its AUC.

usage: dlrm_test.py OCTAVO DLRM_INFER     Exits with 77 (skipped) without the data."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("OCTAVO_TEST_DATA", ROOT / "../shared/data")).resolve() / "dlrm"
SKIPPED = 77
AUC = 0.741170
FORMATS = ("f32", "f16", "s8_table", "s8_row", "s4_row", "s4_codebook")


def call(*arguments):
    result = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=250)
    print(result.stdout, result.stderr, sep="", flush=True)
    return result


def verify(*arguments):
    """max difference and AUC that verify prints; fails unless it says 'as expected'."""
    result = call(sys.argv[1], "verify", *arguments)
    assert result.returncode == 0, result
    difference = re.search(r"max difference ([0-9.e+-]+)", result.stdout)
    auc = re.search(r"AUC ([0-9.]+)", result.stdout)
    return float(difference.group(1)), float(auc.group(1)) if auc else None


def check_ways_in(folder):
    for model in ("small_dlrm.pt", "small_dlrm.onnx", "small_dlrm_params"):
        for data in ("small_dlrm_test.npz", "small_dlrm_bags.npz", "small_dlrm_testdata"):
            difference, auc = verify(DATA / model, "--data", DATA / data, "--max-difference", "1e-6")
            assert auc is None or abs(auc - AUC) < 2e-6, auc
        package = folder / f"from_{model}"
        assert call(sys.argv[1], "prepare", "dlrm", "--from", DATA / model, "-o", package).returncode == 0
        for tables in ("memory", "mapped"):
            verify(package, "--data", DATA / "small_dlrm_bags.npz", "--max-difference", "1e-6", "--tables", tables)


def check_infer(folder):
    test = DATA / "small_dlrm_testdata"
    short = ("--seconds", "0.05")
    right = call(sys.argv[2], "-", "-", DATA / "small_dlrm_params", test, "--max-error", "1e-6", *short)
    assert right.returncode == 0 and right.stdout.endswith("PASS\n"), right
    assert re.match(r"batch 128: mean [0-9.]+ us, p50 ", right.stdout), right
    package = call(sys.argv[2], folder / "from_small_dlrm.pt", "x.json", "no weights", test, *short)
    assert package.returncode == 0, package
    coarse = call(sys.argv[2], "x.so", "x.json", DATA / "small_dlrm.pt", test, "--precision", "s4_row", *short)
    assert coarse.returncode == 1 and coarse.stdout.endswith("FAIL\n") and "x.so" in coarse.stderr, coarse
    assert call(sys.argv[2], "x.so", "x.json").returncode == 2


def check_formats(folder):
    """No format, in any arithmetic, loses more than 0.1 % of the AUC."""
    for row_format in FORMATS:
        package = folder / row_format
        arguments = ("--precision", row_format, "--calibrate", DATA / "criteo_day23_32k.npz", "--modulo", "rows")
        assert call(sys.argv[1], "prepare", "dlrm", "--from", DATA / "small_dlrm.pt", *arguments, "-o", package).returncode == 0
        for arithmetic in ("f32", "bf16", "int8"):
            _, auc = verify(package, "--data", DATA / "small_dlrm_test.npz", "--max-difference", "0.05", "--arithmetic", arithmetic)
            assert auc > AUC * 0.999, (row_format, arithmetic, auc)


def check_raw_data(folder):
    """Criteo's text: hashes modulo rows; out of range without."""
    package = folder / "f32"
    assert call(sys.argv[1], "run", package, DATA / "criteo_kaggle_2k.csv").stdout.startswith("small_dlrm: 1999 samples")
    bad = call(sys.argv[1], "run", package, DATA / "criteo_day23_32k.npz")
    assert bad.returncode == 1 and "sample 0: index 19287962 of table 0 is not in 0..3999" in bad.stderr, bad


def main():
    if not DATA.exists():
        print(f"SKIPPED: NO TEST DATA in {DATA}; set OCTAVO_TEST_DATA")
        return SKIPPED
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        check_ways_in(folder)
        check_infer(folder)
        check_formats(folder)
        check_raw_data(folder)
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
