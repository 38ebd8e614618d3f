"""How long the page's queries take, and what a day of figures takes on the disk: python bench/page.py [--nodes 50] [--hours 24] [--json FILE].

A day of samples of that many nodes, every 15 seconds, is made of series as nodes have them (all that panels ask for, and as many others as
--others says), packed into blocks by promtool, and served by the release's Prometheus on loopback; each panel is then asked for as the page
does it, over an hour and over all of it. Needs the tarball of monitoring (emrctl dist build) and Debian's dpkg-deb. No hosts.
"""
from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

STEP_S, BLOCK_S = 15, 7200
LIMIT_MS = 200
HDFS = ("capacity_remaining", "capacity_total", "capacity_used", "capacity_used_non_dfs", "files_total", "blocks_total", "missing_blocks", "corrupt_blocks",
        "low_redundancy_blocks", "pending_deletion_blocks", "num_live_data_nodes", "num_dead_data_nodes", "stale_data_nodes", "num_decommissioning_data_nodes")
QUEUE = ("allocated_mb", "available_mb", "reserved_mb", "pending_mb", "allocated_v_cores", "available_v_cores", "pending_v_cores", "apps_running", "apps_pending",
         "apps_completed", "apps_failed", "apps_killed", "allocated_containers", "pending_containers", "used_capacity")
DEVICES = ("vda", "vdb", "vdc")


def series(nodes: int, others: int, at: random.Random) -> list:
    """(name, labels, kind, seconds between samples) of all series: ``counter`` rises, ``gauge`` wanders, ``still`` stays."""
    from ansible_collections.emr.cluster.plugins.module_utils.services.page_files import KEPT, KEPT_S
    from ansible_collections.emr.cluster.plugins.module_utils.services.registry import HOMES

    rows = []

    def add(node, component, name, kind, **labels):
        where = {"node": f"sales-{node}", "component": component, "job": component, "role": "master" if "master" in node else "slave", **labels}
        rows.append((name, ",".join(f'{key}="{value}"' for key, value in sorted(where.items())), kind, STEP_S))

    def host(node):
        for cpu in range(8):
            for mode in ("idle", "user", "system", "iowait", "irq", "softirq", "nice", "steal"):
                add(node, "node-exporter", "node_cpu_seconds_total", "counter", cpu=cpu, mode=mode)
        for device in DEVICES:
            for name in ("avail", "size"):
                add(node, "node-exporter", f"node_filesystem_{name}_bytes", "gauge", device=f"/dev/{device}", mountpoint=f"/data/{device}", fstype="ext4")
            for name in ("read", "written"):
                add(node, "node-exporter", f"node_disk_{name}_bytes_total", "counter", device=device)
        for name in ("node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes", "node_load1"):
            add(node, "node-exporter", name, "gauge")
        for name in ("node_network_receive_bytes_total", "node_network_transmit_bytes_total"):
            add(node, "node-exporter", name, "counter", device="eth0")
        add(node, "node-exporter", "node_pressure_io_waiting_seconds_total", "counter")

    def daemon(node, component):
        add(node, component, "up", "still")
        if component != "node-exporter":
            for name, kind in (("mem_heap_used_m", "gauge"), ("mem_heap_max_m", "still"), ("gc_time_millis", "counter")):
                add(node, component, f"jvm_metrics_{name}", kind)

    names = ["master-001", *(f"slave-{number:03}" for number in range(1, nodes))]
    for number, node in enumerate(names):
        host(node)
        for component in ("node-exporter", *(("namenode", "resourcemanager", "historyserver", "prometheus", "alertmanager") if number == 0 else ("datanode", "nodemanager"))):
            daemon(node, component)
        if number:
            for name in ("bytes_read", "bytes_written"):
                add(node, "datanode", f"datanode_{name}", "counter")
            for name, kind in (("running", "gauge"), ("failed", "counter")):
                add(node, "nodemanager", f"node_manager_metrics_containers_{name}", kind)
            for application in ("others", *(f"application_1796045317179_{4 * (number % 5) + one:04}" for one in range(4))):
                program = "" if application == "others" else "org.apache.spark.executor.YarnCoarseGrainedExecutorBackend"
                for name in ("memory_bytes", "cpus", "containers"):
                    add(node, "node-exporter", f"emr_application_{name}", "gauge", application=application, user="emr", program=program)
        for other in range(others):
            add(node, "datanode" if number else "namenode", f"other_{other:03}", at.choice(("still", "still", "still", "counter", "gauge")))
    for name in HDFS:
        add("master-001", "namenode", f"fs_namesystem_{name}", "gauge" if "capacity" in name else "still")
    for name, kind in (("rpc_rpc_processing_time_num_ops", "counter"), ("rpc_rpc_queue_time_avg_time", "gauge"), ("rpc_rpc_processing_time_avg_time", "gauge")):
        add("master-001", "namenode", name, kind, port=8020)
    for queue in ("root", "root.default", "root.analysts", "root.night"):
        for user in ("", "alice", "bob", "emr"):
            for name in QUEUE:
                add("master-001", "resourcemanager", f"queue_metrics_{name}", "counter" if name.startswith("apps_") and name[5] in "cfk" else "gauge", queue=queue, user=user)
    for name in ("active", "lost", "unhealthy", "decommissioning"):
        add("master-001", "resourcemanager", f"cluster_metrics_num_{name}_n_ms", "still")
    for panel in (panel for home in HOMES.values() for panel in home.panels if panel.kept):
        for number, (_query, legend) in enumerate(panel.queries):
            places = [f',node="sales-{node}"' for node in names] if "{{" in legend else [""]
            rows += [(KEPT, f'panel="{panel.id}",query="{number}"{place}', "gauge", KEPT_S) for place in places]
    return rows


def write(rows: list, start: int, values: list, path: Path, at: random.Random) -> int:
    """One block's samples in OpenMetrics; ``values`` go on from block to block. How many there are."""
    samples = 0
    with path.open("w") as out:
        for place, (name, labels, kind, step) in enumerate(rows):
            head, value = f"{name}{{{labels}}} ", values[place]
            samples += BLOCK_S // step
            for number in range(BLOCK_S // step):
                if kind == "counter":
                    value += at.randint(0, 90000)
                elif kind == "gauge":
                    value = abs(value + at.randint(-4000, 4000))
                out.write(f"{head}{value} {start + number * step}\n")
            values[place] = value
        out.write("# EOF\n")
    return samples


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def programs(folder: Path) -> tuple:
    """(words that start promtool, path of prometheus), of the release's own packages and tarball."""
    from emrctl.dist import build, fetch
    from emrctl.dist.lock import parse_lock
    from emrctl.dist.monitoring import LIBRARY_FOLDER, LOADER
    from tests.lab import tarball

    inputs = [item for item in parse_lock(next(build.LOCKS.glob("monitoring-*.lock")).read_text()) if item.coordinates.startswith(("prometheus:", "libc6:"))]
    for path in fetch.fetch(inputs, print).values():
        subprocess.run(["dpkg-deb", "-x", str(path), str(folder / "deb")], check=True)
    with tarfile.open(tarball("monitoring")) as tar:
        tar.extractall(folder, filter="data")
    library = folder / "deb" / LIBRARY_FOLDER
    return [str(library / LOADER), "--library-path", str(library), str(folder / "deb/usr/bin/promtool")], next(folder.glob("monitoring-*")) / "bin/prometheus"


def fill(options, folder: Path, promtool: list) -> dict:
    """Blocks in folder/data. Returns numbers of them."""
    at = random.Random(12)
    rows = series(options.nodes, options.others, at)
    values, end = [float(at.randint(10**6, 10**9)) for _row in rows], int(time.time()) // BLOCK_S * BLOCK_S
    samples = 0
    for start in range(end - int(options.hours * 3600), end, BLOCK_S):
        samples += write(rows, start, values, folder / "samples", at)
        subprocess.run([*promtool, "tsdb", "create-blocks-from", "openmetrics", "-q", str(folder / "samples"), str(folder / "data")], check=True, stdout=subprocess.DEVNULL)
        print(f"block of {time.strftime('%F %H:%M', time.gmtime(start))}", file=sys.stderr)
    (folder / "samples").unlink()
    return {"series": len(rows), "samples": samples, "end": end}


def worked_ms(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def asked(options, address: str, end: int, pid: int) -> list:
    """(least milliseconds, panel, hours, mean CPU milliseconds of Prometheus) of each panel over an hour and over all.

    The least, for the machine may have other work; the CPU time is the same then.
    """
    from ansible_collections.emr.cluster.plugins.module_utils.node.page.figures import Store
    from ansible_collections.emr.cluster.plugins.module_utils.services.page_files import kept
    from ansible_collections.emr.cluster.plugins.module_utils.services.registry import HOMES

    store, found = Store(address), []
    for panel in (panel for home in HOMES.values() for panel in home.panels):
        row = {"id": panel.id, "kind": panel.kind, "queries": [list(query) for query in panel.queries],
               "kept": [kept(panel, number) for number in range(len(panel.queries))] if panel.kept else []}
        for hours in (1, options.hours):
            took, before = [], worked_ms(pid)
            for _ in range(options.runs):
                begun = time.monotonic()
                store.picture(row, end - hours * 3600, end, 240)
                took.append((time.monotonic() - begun) * 1000)
            found.append((round(min(took), 1), panel.id, hours, round((worked_ms(pid) - before) / options.runs, 1)))
    return sorted(found, reverse=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=50)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--others", type=int, default=40, help="series of each node that no panel asks for")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="emr-bench-page-") as name:
        folder = Path(name)
        promtool, prometheus = programs(folder)
        told = fill(options, folder, promtool)
        told["bytes"] = sum(path.stat().st_size for path in (folder / "data").rglob("*") if path.is_file())
        (folder / "prometheus.yml").write_text("{}")
        port = free()
        process = subprocess.Popen([prometheus, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}",
                                    "--storage.tsdb.retention.time=30d", "--query.max-samples=5000000", "--query.timeout=20s", "--query.max-concurrency=4"],
                                   env={"GOGC": "50", "PATH": "/usr/bin:/bin"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            address, limit = f"http://127.0.0.1:{port}", time.monotonic() + 120
            while True:
                try:
                    urllib.request.urlopen(f"{address}/-/ready", timeout=5).close()
                    break
                except OSError:
                    if time.monotonic() > limit:
                        raise
                    time.sleep(0.3)
            rows = asked(options, address, told["end"], process.pid)
            told["resident_mib"] = int(next(line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if line.startswith("VmRSS")).split()[1]) >> 10
        finally:
            process.terminate()
            process.wait(30)
        shutil.rmtree(folder / "data")
    told.update(median_ms=statistics.median(row[0] for row in rows), slowest=rows[:8], over=[row for row in rows if row[0] > LIMIT_MS])
    per = told["bytes"] / told["samples"]
    print(f"{options.nodes} nodes, {options.hours:g} h: {told['series']:,} series, {told['samples']:,} samples, {told['bytes'] >> 20:,} MiB on the disk, {per:.2f} bytes a sample")
    print(f"Prometheus after all queries: {told['resident_mib']} MiB")
    print(f"{len(rows)} questions: {told['median_ms']:.0f} ms at the median, the slowest {rows[0][0]:.0f} ms; limit {LIMIT_MS} ms {'MISSED' if told['over'] else 'ok'}")
    for took, panel, hours, work in rows[:8]:
        print(f"  {took:8.1f} ms ({work:.0f} ms of CPU)  {panel} over {hours:g} h")
    if options.json:
        options.json.write_text(json.dumps(told, indent=2) + "\n")
    return 1 if told["over"] else 0


if __name__ == "__main__":
    sys.exit(main())
