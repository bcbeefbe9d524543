"""Writes requirements.lock and requirements-dev.lock: exact versions with the hashes of the wheels of common platforms.

    make lock        after a change of the dependencies in pyproject.toml

It only asks pip what it would install (nothing is installed), with Python 3.11, once for each platform.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = "3.11"
BUILD = ["setuptools>=77"]  # what installs the project itself
PLATFORMS = {
    "Linux x86-64": [*(f"manylinux_2_{minor}_x86_64" for minor in range(39, 16, -1)), "manylinux2014_x86_64"],
    "Linux arm64": [*(f"manylinux_2_{minor}_aarch64" for minor in range(39, 16, -1)), "manylinux2014_aarch64"],
    "macOS arm64": ["macosx_14_0_arm64"],
    "macOS x86-64": ["macosx_14_0_x86_64"],
}


def wheels(wanted: list[str], platform: list[str]) -> list[tuple[str, str, str]]:
    """Name, version and hash of what pip would install."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        where = [option for tag in platform for option in ("--platform", tag)]
        command = ["install", "--dry-run", "--quiet", "--ignore-installed", "--only-binary", ":all:", "--target", folder]
        command += ["--python-version", PYTHON, *where, "--report", str(report), *wanted]
        subprocess.run([sys.executable, "-m", "pip", *command], check=True, stderr=subprocess.DEVNULL)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    return [
        (
            each["metadata"]["name"].lower(),
            each["metadata"]["version"],
            each["download_info"]["archive_info"]["hashes"]["sha256"],
        )
        for each in found
    ]


def lock(wanted: list[str]) -> str:
    hashes: dict[tuple[str, str], set[str]] = {}
    for name, platform in PLATFORMS.items():
        print(f"  {name}", file=sys.stderr)
        for package, version, sha256 in wheels(wanted, platform):
            hashes.setdefault((package, version), set()).add(sha256)
    names = [package for package, _ in hashes]
    twice = {each for each in names if names.count(each) > 1}
    if twice:
        raise SystemExit(f"different versions on different platforms: {', '.join(sorted(twice))}")
    lines = ["# Written by tools/lock.py (make lock); do not edit."]
    for (package, version), found in sorted(hashes.items()):
        lines.append(" \\\n    ".join([f"{package}=={version}", *(f"--hash=sha256:{each}" for each in sorted(found))]))
    return "\n".join(lines) + "\n"


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    run, dev = project["dependencies"], project["optional-dependencies"]["dev"]
    for file, wanted in (("requirements.lock", [*run, *BUILD]), ("requirements-dev.lock", [*run, *BUILD, *dev])):
        print(file, file=sys.stderr)
        (ROOT / file).write_text(lock(wanted), encoding="utf-8")


if __name__ == "__main__":
    main()
