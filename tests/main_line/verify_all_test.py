#!/usr/bin/env python3
"""The main line on real models: every expectation of the test data's models.json holds, layer by layer too.

usage: verify_all_test.py OCTAVO [quick]    quick: one small model alone. Exits with 77 (skipped) without the data."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("OCTAVO_TEST_DATA", ROOT / "../shared/data")).resolve()
SKIPPED = 77


def octavo(*arguments):
    result = subprocess.run([sys.argv[1], *arguments], capture_output=True, text=True)
    print(result.stdout, result.stderr, sep="", flush=True)
    return result.returncode == 0, result.stdout


def main():
    if not (DATA / "models.json").exists():
        print(f"SKIPPED: NO TEST DATA in {DATA}; set OCTAVO_TEST_DATA")
        return SKIPPED
    reference = DATA / "reference"
    if sys.argv[2:] == ["quick"]:
        holds, text = octavo(
            "verify", "-q", DATA / "cifar10_resnet20_int8_traced.pt", "--input-shape", "3,32,32", "--preprocess", "cifar10",
            "--images", DATA / "cifar10_test_jpeg.tar.gz", "--reference", reference / "cifar10_resnet20_int8.npz",
        )  # fmt: skip
        return 0 if holds and "top-1 80.93 %" in text else 1
    all_hold, _ = octavo("verify", "-q", "--all", DATA)
    layers_equal, text = octavo(
        "verify", "-q", DATA / "resnet50_int8_traced.pt", "--images", DATA / "photos",
        "--layers", reference / "resnet50_int8_layers.npz",
    )  # fmt: skip
    return 0 if all_hold and layers_equal and "72 of 72 layers equal" in text else 1


if __name__ == "__main__":
    sys.exit(main())
