"""What the checks share: the files of the project, their compile flags, and a memory of what was proven already."""

import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

ISA_SUFFIX = re.compile(r"_(avx2|avx_vnni|avx512|avx512_vnni|avx512_bf16|amx_int8|amx_bf16)\.(cpp|h)$")


def said(*command):
    """What a command that must succeed prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def files(*suffixes):
    """Every file git tracks or would track, relative to the working directory, that ends in one of `suffixes`."""
    names = sorted(set(said("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")) - {""})
    return [name for name in names if name.endswith(suffixes or ("",)) and os.path.isfile(name)]


def isa_flags(path):
    """The flags that cmake/octavo.cmake gives a file of this name; none when the name carries no ISA."""
    match = ISA_SUFFIX.search(path)
    if not match:
        return []
    rules = pathlib.Path("cmake/octavo.cmake").read_text()
    flags = dict(re.findall(r"set\(OCTAVO_ISA_FLAGS_(\w+)\s+([^)]*)\)", rules))
    text = flags[match.group(1)]
    while "${" in text:
        text = re.sub(r"\$\{OCTAVO_ISA_FLAGS_(\w+)\}", lambda found: flags[found.group(1)], text)
    return text.split()


def room_flags():
    """Folder -> the -I, -D and -isystem flags with which the release preset compiles the sources there."""
    database = pathlib.Path("build/release/compile_commands.json")
    found = {}
    if database.exists():
        for entry in json.loads(database.read_text()):
            folder = os.path.dirname(os.path.relpath(entry["file"]))
            words = shlex.split(entry["command"])
            for i, word in enumerate(words):
                if word == "-isystem":
                    found.setdefault(folder, []).extend(words[i : i + 2])
                elif word.startswith(("-I", "-D")):
                    found.setdefault(folder, []).append(word)
    return found


def compile_flags(path, rooms):
    """Flags for a file: those of the nearest folder with a compiled source, the language, and its name's ISA."""
    flags = ["-std=c++20", "-march=x86-64-v2", "-ffp-contract=off", "-Iinclude", "-Isrc"]
    folder = os.path.dirname(path)
    while folder and folder not in rooms:
        folder = os.path.dirname(folder)
    return flags + rooms.get(folder, []) + isa_flags(path)


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


class Proven:
    """Remembers, in build/check/NAME.json, which commands succeeded and on which files they depended."""

    def __init__(self, name):
        self.path = pathlib.Path(f"build/check/{name}.json")
        try:
            self.known = json.loads(self.path.read_text())
        except (OSError, ValueError):
            self.known = {}

    def holds(self, key):
        return key in self.known and all(
            os.path.isfile(path) and digest(path) == was for path, was in self.known[key].items()
        )

    def remember(self, key, dependencies):
        self.known[key] = {path: digest(path) for path in dependencies}

    def save(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.known))


def dependencies(depfile):
    """The files of the project named in a depfile of the compiler, relative to the working directory."""
    text = pathlib.Path(depfile).read_text().replace("\\\n", " ")
    named = [os.path.relpath(path) for path in text.partition(":")[2].split()]
    return [path for path in named if not path.startswith("..")]


def in_parallel(work, items):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))
