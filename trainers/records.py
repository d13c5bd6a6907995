"""Records that survive a crash: files of JSON Lines, and JSON files that are whole or not there."""

import contextlib
import json
import os

from tfdisent import atomic


def read(path):
    """The entries of a JSON Lines file, without one that a crash cut off; none without a file."""
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        with contextlib.suppress(json.JSONDecodeError):
            entries.append(json.loads(line))
    return entries


def append(path, entry):
    """Appends an entry to a JSON Lines file."""
    path = os.fspath(path)
    with open(path, "ab+") as file:
        # A crash may have cut off the last line: what follows must not be lost with it.
        is_cut = file.tell() > 0 and file.seek(-1, os.SEEK_END) >= 0 and file.read() != b"\n"
        file.write(("\n" * is_cut + json.dumps(entry) + "\n").encode())


def forget_after(path, step):
    """Rewrites such a file without the entries of later steps and of an end."""
    entries = read(path)
    kept = [entry for entry in entries if entry["step"] <= step and not entry["final"]]
    if entries:
        atomic.write(path, "".join(json.dumps(entry) + "\n" for entry in kept).encode())


def write(path, content):
    """Writes one JSON file, whole or not at all."""
    atomic.write(path, (json.dumps(content, indent=2) + "\n").encode())


def is_empty(folder):
    """Whether a folder holds nothing but hidden files, such as `write` leaves when it is killed."""
    return all(entry.name.startswith(".") for entry in folder.iterdir())
