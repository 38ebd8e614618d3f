"""The inventory plugin against a static file and Alibaba's own plugin: python bench/inventory.py [--sizes 100,1000,…].

Everything asks one API-only local ECS, a process of its own, in which each call takes 50 ms longer. For each size and number
of regions: cold, cached, a static file of the same hosts (JSON, which Ansible reads three times faster than YAML; --yaml
measures that too), and with --alibaba the plugin of a checkout of alibaba/ansible-provider, unmodified, as its examples use it
and with pages of 100.

    git clone … ansible-provider;  python -m venv V;  V/bin/pip install footmark 'ansible-core==2.19.*'
    python bench/inventory.py --alibaba ansible-provider --alibaba-python V/bin/python
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
CHILD = Path(__file__).with_name("inventory_child.py")
LATENCY = 0.05
REGIONS = ("cn-hangzhou", "cn-beijing", "cn-shanghai", "cn-shenzhen", "cn-zhangjiakou", "cn-chengdu", "ap-southeast-1",
           "eu-central-1")
# Alibaba's plugin asks page after page and reads each with a YAML parser: beyond this it takes minutes to hours.
ALIBABA_MOST = 1000
GOALS = (("cold, 1,000 instances: Alibaba's / ours", 5.0, "least"), ("50,000: peak memory cached / static", 1.3, "most"),
         ("50,000: peak memory cold / static", 1.3, "most"), ("50,000: parse cached / static", 1.5, "most"))


class Ecs:
    """A local ECS with so many nodes over so many regions."""

    def __init__(self, folder: Path, count: int, regions: int):
        state = folder / "ecs"
        self._log = (folder / "ecs.log").open("w")
        self._process = subprocess.Popen([sys.executable, "-m", "emrctl.local.server", "--state", str(state), "--port", "0",
                                          "--api-only"], cwd=REPO, stdout=self._log, stderr=self._log)
        while not (state / "server.json").exists():
            time.sleep(0.05)
        self.port = json.loads((state / "server.json").read_text())["port"]
        self._post("seed", {"count": count, "regions": regions})
        self._post("faults", {"latency": LATENCY})
        from emrctl.local import keys
        self.key_id, self.secret = keys.ensure(state)

    def _post(self, page: str, value: dict) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/_local/{page}", json.dumps(value).encode())
        urllib.request.urlopen(request, timeout=900).read()

    def calls(self) -> int:
        """API calls answered since the start."""
        self._log.flush()
        return sum(" OK " in line for line in open(self._log.name, encoding="utf-8"))

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
        self._log.close()


def measure(source: Path, ecs: Ecs, folder: Path, python: str = sys.executable, **env) -> dict:
    """One parse in a process of its own, plus the calls that it made."""
    before = ecs.calls()
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "ALIBABA_CLOUD_ACCESS_KEY_ID": ecs.key_id,
                   "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ecs.secret, "ALIBABA_CLOUD_ECS_ENDPOINT": f"http://127.0.0.1:{ecs.port}",
                   "ANSIBLE_CONFIG": str(REPO / "ansible.cfg"), "LANG": "C.UTF-8", **env}
    done = subprocess.run([python, str(CHILD), str(source)], cwd=folder, env=environment, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise SystemExit(f"{source}: {done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    if not found["hosts"]:
        raise SystemExit(f"{source}: no hosts: {done.stderr[-2000:]}")
    return {**found, "calls": ecs.calls() - before, "total_s": found["import_s"] + found["parse_s"]}


def static_file(folder: Path, ecs: Ecs, source: Path, suffix: str) -> Path:
    """A static inventory of the hosts, groups and variables that the plugin gives."""
    script = ("import json,sys\nfrom ansible.inventory.manager import InventoryManager\n"
              "from ansible.parsing.dataloader import DataLoader\nfrom ansible.plugins.loader import init_plugin_loader\n"
              "init_plugin_loader([])\ni = InventoryManager(loader=DataLoader(), sources=[sys.argv[1]])\nseen = set()\n"
              "out = {}\nfor g in i.groups.values():\n"
              "    if g.name in ('all', 'ungrouped'): continue\n"
              "    out[g.name] = {'hosts': {h.name: None if h.name in seen or seen.add(h.name) else {k: v for k, v in "
              "h.vars.items() if not k.startswith('inventory_')} for h in g.hosts}}\n"
              "inventory = {'all': {'children': out}}\n"
              "if sys.argv[2].endswith('.json'):\n    json.dump(inventory, open(sys.argv[2], 'w'))\n"
              "else:\n    import yaml\n    yaml.dump(json.loads(json.dumps(inventory)), open(sys.argv[2], 'w'), Dumper=yaml.CSafeDumper)\n")
    path = folder / f"static.{suffix}"
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "ALIBABA_CLOUD_ACCESS_KEY_ID": ecs.key_id,
           "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ecs.secret, "ALIBABA_CLOUD_ECS_ENDPOINT": f"http://127.0.0.1:{ecs.port}",
           "ANSIBLE_CONFIG": str(REPO / "ansible.cfg")}
    subprocess.run([sys.executable, "-c", script, str(source), str(path)], cwd=folder, env=env, check=True)
    return path


def alibaba(folder: Path, ecs: Ecs, checkout: Path, regions: tuple, filters: dict) -> tuple:
    """(inventory file, environment) of the plugin of the checkout; only where its SDK looks for the API is told from outside."""
    place = folder / "alibaba"
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(
        "import aliyunsdkcore.profile.region_provider as p\n"
        f"for r in {list(regions)!r}: p.add_endpoint('Ecs', r, '127.0.0.1:{ecs.port}')\n"
        # footmark sends a parameter "on" with every call, which the cloud ignores and the local ECS refuses.
        "from aliyunsdkcore.request import AcsRequest as R\n"
        "R.add_query_param = lambda self, k, v, add=R.add_query_param: None if k == 'on' else add(self, k, v)\n"
        # It was written for an Ansible that looked for plugins' shared code among its own.
        "import importlib.util, sys\n"
        f"s = importlib.util.spec_from_file_location('ansible.module_utils.alicloud_ecs', "
        f"{str(checkout / 'lib/ansible/module_utils/alicloud_ecs.py')!r})\n"
        "import ansible.module_utils\nm = importlib.util.module_from_spec(s); sys.modules[s.name] = m; s.loader.exec_module(m)\n")
    source = folder / "alicloud.yml"
    source.write_text(json.dumps({"plugin": "alicloud_ecs", "alicloud_region": regions[0], "regions": list(regions),
                                  "filters": filters}))
    lib = checkout / "lib/ansible"
    return source, {
        "ANSIBLE_CONFIG": "", "PYTHONPATH": str(place), "ANSIBLE_INVENTORY_PLUGINS": str(lib / "plugins/inventory"),
        "ANSIBLE_DOC_FRAGMENT_PLUGINS": str(lib / "utils/module_docs_fragments"), "ALICLOUD_ACCESS_KEY": ecs.key_id,
        "ALICLOUD_SECRET_KEY": ecs.secret, "ALICLOUD_REGION": regions[0],
        "ANSIBLE_INVENTORY_ENABLED": "alicloud_ecs"}


def rows_for(count: int, regions: tuple, args) -> list:
    """All measurements of one size."""
    rows = []

    def add(what: str, found: dict) -> None:
        rows.append({"instances": count, "regions": len(regions), "what": what, **found})
        show(rows[-1])

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ecs = Ecs(folder, count, len(regions))
        try:
            source = folder / "ecs.yml"
            source.write_text(json.dumps({"plugin": "emr.cluster.ecs", "regions": list(regions), "cache": True,
                                          "cache_plugin": "ansible.builtin.jsonfile", "cache_timeout": 86400,
                                          "cache_connection": str(folder / "cache")}))
            add("ours, cold", measure(source, ecs, folder))
            add("ours, cached", measure(source, ecs, folder))
            static = {"ANSIBLE_CONFIG": "", "ANSIBLE_INVENTORY_ENABLED": "yaml"}
            for suffix in ("json", "yml") if args.yaml else ("json",):
                add(f"static file ({suffix})", measure(static_file(folder, ecs, source, suffix), ecs, folder, **static))
            if args.alibaba and count <= args.alibaba_most:
                for what, filters in (("Alibaba's, as documented", {}), ("Alibaba's, pages of 100", {"page_size": 100})):
                    path, env = alibaba(folder, ecs, args.alibaba.resolve(), regions, filters)
                    add(what, measure(path, ecs, folder, str(args.alibaba_python), **env))
        finally:
            ecs.close()
    return rows


def show(row: dict) -> None:
    """One line of the table."""
    print("| {instances:>6} | {regions} | {what:<26} | {parse_s:>7.2f} | {parse_cpu_s:>7.2f} | {total_s:>7.2f} | {calls:>5} | "
          "{peak_mib:>6.0f} |".format(**row), flush=True)


def goals(rows: list) -> list:
    """(name, ratio, limit, kept or None without the measurements) of each goal, over the runs with one region."""
    table = {(r["instances"], r["what"]): r for r in rows if r["regions"] == 1}

    def ratio(size: int, above: str, below: str, key: str):
        pair = table.get((size, above)), table.get((size, below))
        return pair[0][key] / pair[1][key] if all(pair) else None

    values = (ratio(1000, "Alibaba's, as documented", "ours, cold", "parse_s"),
              ratio(50000, "ours, cached", "static file (json)", "peak_mib"),
              ratio(50000, "ours, cold", "static file (json)", "peak_mib"),
              ratio(50000, "ours, cached", "static file (json)", "parse_s"))
    return [(name, value, limit, None if value is None else value >= limit if kind == "least" else value <= limit)
            for (name, limit, kind), value in zip(GOALS, values, strict=True)]


def main() -> int:
    """Measure and compare with the goals. Exit code 1 when one is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sizes", default="100,1000,10000,50000")
    parser.add_argument("--regions", default="1,8")
    parser.add_argument("--yaml", action="store_true", help="measure the static file as YAML too")
    parser.add_argument("--alibaba", type=Path, help="checkout of alibaba/ansible-provider")
    parser.add_argument("--alibaba-python", type=Path, help="interpreter of a virtual environment with footmark")
    parser.add_argument("--alibaba-most", type=int, default=ALIBABA_MOST, help="not for more instances than that")
    parser.add_argument("--json", type=Path, help="write all numbers there")
    args = parser.parse_args()
    if args.alibaba and not args.alibaba_python:
        parser.error("--alibaba needs --alibaba-python")
    sys.path.insert(0, str(REPO))
    print("| instances | regions | what | parse s | parse CPU s | total s | calls | peak MiB |\n|---|---|---|---|---|---|---|---|")
    rows = [row for size in args.sizes.split(",") for number in args.regions.split(",")
            for row in rows_for(int(size), REGIONS[:int(number)], args)]
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))
    results = goals(rows)
    for name, value, limit, kept in results:
        if kept is not None:
            print(f"{'kept  ' if kept else 'MISSED'} {name}: {value:.2f} (goal {limit})")
    return 1 if any(kept is False for *_, kept in results) else 0


if __name__ == "__main__":
    sys.exit(main())
