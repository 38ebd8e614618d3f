"""The inventory plugin is no slower and no larger than a static file, already where the start of Ansible weighs most."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).parents[2]


def test_cached_against_a_static_file(tmp_path):
    numbers = tmp_path / "numbers.json"
    subprocess.run([sys.executable, str(REPO / "bench/inventory.py"), "--sizes", "3000", "--json", str(numbers)], check=True)
    rows = {(r["regions"], r["what"]): r for r in json.loads(numbers.read_text())}
    for regions in (1, 8):
        cold, cached, static = (rows[regions, what] for what in ("ours, cold", "ours, cached", "static file (json)"))
        assert cold["hosts"] == cached["hosts"] == static["hosts"] == 3000 and cold["groups"] == static["groups"]
        assert cached["calls"] == 0 and cold["calls"] <= 3000 / 100 + 2 * regions
        assert cached["parse_cpu_s"] <= 1.5 * static["parse_cpu_s"] and cold["peak_mib"] <= 1.3 * static["peak_mib"]
