"""What a job prints is kept in bounded files."""
from __future__ import annotations

import os
import random
import subprocess

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.node.jobs.output import Kept, Output

ME = (os.getuid(), os.getgid())


def split(text: str) -> tuple:
    """(lines before the mark, the number that it says, lines after it)."""
    lines = text.splitlines()
    (at,) = [n for n, line in enumerate(lines) if "left out" in line]
    return lines[:at], int(lines[at].split()[1].replace(",", "")), lines[at + 1:]


@pytest.mark.parametrize("seed", range(10))
def test_a_file_keeps_its_beginning_and_end_and_counts_the_rest(tmp_path, seed):
    source, path, limit = random.Random(seed), tmp_path / "stdout.log", 16_000
    kept, text, largest = Kept(str(path), limit), b"".join(b"line %d of many\n" % n for n in range(20_000)), 0
    at = 0
    while at < len(text):
        size = source.randrange(1, 9000)
        kept.add(text[at:at + size])
        at += size
        largest = max(largest, path.stat().st_size)
    before, gone, after = split(path.read_text())
    assert largest <= limit
    assert before == [f"line {n} of many" for n in range(len(before))] and len(before) > 50
    assert after == [f"line {n} of many" for n in range(20_000 - len(after), 20_000)] and len(after) > 100
    assert gone == len(text) - sum(len(line) + 1 for line in before + after)


def test_what_fits_is_kept_as_it_is_and_goes_on_from_what_is_there(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"before\n")
    path.chmod(0o640)
    kept = Kept(str(path), 10_000)
    for _n in range(100):
        kept.add(b"0123456789")
    assert path.read_bytes() == b"before\n" + b"0123456789" * 100


def test_a_line_without_end_is_bounded_and_modes_stay(tmp_path):
    path = tmp_path / "x"
    path.touch(0o640)
    kept = Kept(str(path), 16_000)
    for _n in range(1000):
        kept.add(b"x" * 1000)
    assert path.stat().st_size <= 16_100 and path.stat().st_mode & 0o777 == 0o640
    assert "bytes are left out here" in path.read_text() and len(list(tmp_path.iterdir())) == 1


def test_a_program_may_print_more_than_the_disk_has(tmp_path):
    output = Output(str(tmp_path), 1 << 20, ME)
    program = subprocess.Popen(["bash", "-c", "echo first; yes line | head -c 200M; echo last; echo wrong >/dev/stderr"],
                               stdout=output.ends["stdout"], stderr=output.ends["stderr"])
    output.started()
    largest = 0
    (tmp_path / "stdout.log").touch()
    while program.poll() is None:
        largest = max(largest, (tmp_path / "stdout.log").stat().st_size)
    output.settle()
    assert output.pid == 0, "its process has ended with the program"
    before, gone, after = split((tmp_path / "stdout.log").read_text())
    assert before[0] == "first" and after[-1] == "last" and gone > 190 << 20
    assert largest <= 1 << 20 and (tmp_path / "stderr.log").read_text() == "wrong\n"


def test_what_a_program_leaves_behind_keeps_nobody_waiting(tmp_path):
    output = Output(str(tmp_path), 1 << 20, ME)
    program = subprocess.Popen(["bash", "-c", "sleep 100 & echo $!"], stdout=output.ends["stdout"], stderr=output.ends["stderr"])
    output.started()
    program.wait()
    output.settle()
    os.kill(int((tmp_path / "stdout.log").read_text()), 9)
    output.close()
    assert output.pid == 0
