"""Prepare a host: accounts, directories, names, limits, data disks, Java."""
from __future__ import annotations

import glob
import json
import os
import re
import shutil
import socket

from ...domain import paths
from ...domain.config import writers
from ...domain.install import systems
from ...domain.topology.record import PATH as NODE_RECORD
from ..common import NodeError, ensure_directory, read_text, run, wait_until, write_atomic
from .accounts import settle_accounts
from .bootstrap import run_scripts

BEGIN, END = "# BEGIN emr", "# END emr"
LIMITS_PATH = "/etc/security/limits.d/90-emr.conf"
DISK_BY_ID = "/dev/disk/by-id/virtio-"


class Changes:
    """What was changed, for people and for ``--diff``."""

    def __init__(self, check):
        self.check = check
        self.notes = []
        self.diff = []

    def file(self, path, content, mode=0o644):
        """Bring a file owned by root to this content."""
        before = read_text(path)
        if before == content:
            return
        self.notes.append(path)
        self.diff.append({"before": before or "", "after": content, "before_header": path, "after_header": path})
        if not self.check:
            write_atomic(path, content, mode)

    def note(self, text):
        """Record a change if there is one (an empty text is none)."""
        if text:
            self.notes.append(text)


def prepare(params, check):
    """Do everything that the options of the module ``host`` ask for. Returns the module's result."""
    changes = Changes(check)
    for note in settle_accounts(params["users"], check):
        changes.note(note)
    if params["hostname"]:
        _hostname(params["hostname"], changes)
    if params["hosts"]:
        _hosts(with_recorded(params["hosts"], params["removed"]) if params["keep_recorded"] else params["hosts"], changes)
        if not check:
            check_own_name(**params["own"])
    disks = _disks(params["disks"], changes)
    for row in params["directories"]:
        changes.note(ensure_directory(row["path"], row["owner"], row["group"], row["mode"], check))
    changes.file(LIMITS_PATH, "".join(f"{user['name']} - nofile 65536\n{user['name']} - nproc 65536\n"
                                      for user in params["users"]))
    done, told = run_scripts(params["bootstrap"], check)
    changes.notes += done
    java = find_java()
    if not java:
        changes.note(_install_java(params["java_packages"] or java_packages(), check))
        java = find_java()
    if not java and not check:
        raise NodeError(f"no Java {systems.LEAST_JAVA} to {systems.MOST_JAVA} on this node. Use an image with a JRE "
                        "(host_java_packages names the packages to install) or put one under /usr/lib/jvm.")
    facts = measure(java, disks)
    _check_memory(facts, params["memory_mib"])
    return {"changed": bool(changes.notes), "changes": changes.notes, "diff": changes.diff, "told": told, "emr_node": facts}


def measure(java="", disks=()):
    """What this node is: memory (MiB), vCPUs, Java, installed artifacts {name: sha512}, data disk mounts."""
    memory_kib = int(re.search(r"MemTotal:\s+(\d+)", read_text("/proc/meminfo")).group(1))
    installed = {}
    for marker in glob.glob(f"{paths.ROOT}/*/{paths.ARTIFACT_MARK}"):
        try:
            record = json.loads(read_text(marker) or "{}")
        except ValueError:
            continue
        if os.path.realpath(f"{paths.ROOT}/" + record.get("link", "-")) == os.path.dirname(os.path.realpath(marker)):
            installed[record.get("name", "")] = record.get("sha512", "")
    return {"memory_mib": min(memory_kib // 1024, _cgroup_limit_mib()), "vcpus": os.cpu_count() or 1,
            "java_home": java, "installed": installed, "disks": list(disks), "record": read_record()}


def _cgroup_limit_mib():
    """Memory limit of the machine when it is a container, in MiB; a huge number when there is none."""
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        text = (read_text(path) or "").strip()
        if text.isdigit():
            return int(text) // 1048576
    return 1 << 40


def _check_memory(facts, promised_mib):
    """Refuse a node that has over 10 % less memory than its instance type promises (kernel's share included)."""
    if promised_mib and facts["memory_mib"] < promised_mib * 0.9 - 128:
        raise NodeError(f"this node has {facts['memory_mib']} MiB of memory, but its type promises {promised_mib} MiB: "
                        "daemons sized for it would not fit. Check the instance type.")


def _hostname(name, changes):
    if os.uname().nodename == name and (read_text("/etc/hostname") or "").strip() == name:
        return
    changes.note(f"hostname {name}")
    if not changes.check:
        write_atomic("/etc/hostname", name + "\n")
        run(["hostname", name])


def hosts_text(current, hosts):
    """``/etc/hosts`` with our block; names of the cluster in other lines (127.0.1.1 of an image) are taken out.

    A daemon that resolves its own name to a loopback address would announce that address to the others. The first line with an
    address gives its name back: where another line has one of ours, the block stands before it, and YARN knows a node by the name
    that the cluster has for it. What that line calls the node stays a name of it.
    """
    names, addresses = {row["name"] for row in hosts}, {row["address"] for row in hosts}
    kept, inside, at = [], False, None
    for line in current.splitlines():
        if line.startswith(BEGIN):
            inside = True
        elif line.startswith(END):
            inside = False
        elif not inside:
            words = line.split("#")[0].split()
            if words and names & set(words[1:]):
                rest = [word for word in words[1:] if word not in names]
                line = " ".join([words[0]] + rest) if rest else None
            if line is not None:
                if at is None and words and words[0] in addresses:
                    at = len(kept)
                kept.append(line)
    at = len(kept) if at is None else at
    block = [BEGIN] + writers.hosts_lines(hosts) + [END]
    return "\n".join(kept[:at] + block + kept[at:]) + "\n"


def read_record():
    """The nodes of the cluster as this one has them on record (domain/topology/record.py); None where there is none."""
    try:
        return json.loads(read_text(NODE_RECORD) or "null")
    except ValueError:
        return None


def with_recorded(hosts, removed):
    """Rows of ``hosts`` and of nodes on record that it lacks, in the topology's order: a run that does not see a node does not
    make it unknown.
    """
    given = {row["name"] for row in hosts} | {row["address"] for row in hosts} | set(removed)
    others = [row for row in (read_record() or {}).get("nodes", []) if not given & {row["name"], row["address"]}]
    return sorted(hosts + others, key=lambda row: (row["role"] != "master", row["name"]))


def _hosts(hosts, changes):
    changes.file("/etc/hosts", hosts_text(read_text("/etc/hosts") or "", hosts))


def check_own_name(name, address):
    """Raises NodeError when this host's resolver calls its own address otherwise than the cluster does.

    A NodeManager registers by that name, and the ResourceManager turns away one that it does not know, for ever.
    """
    try:
        found = socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]
    except OSError:
        found = "nothing"
    if found == name:
        return
    lines = (read_text("/etc/nsswitch.conf") or "").splitlines()
    number, line = next(((n, text) for n, text in enumerate(lines, 1) if text.split("#")[0].strip().startswith("hosts:")), (0, ""))
    raise NodeError(f"the cluster calls this host {name}, and its own resolver calls {address} {found}: YARN would turn away its NodeManager. "
                    f"/etc/hosts has the line `{address} {name}`, which /etc/nsswitch.conf line {number}, `{line.strip()}`, does not let count. "
                    f"Put `files` first there, or call the host {found} in the inventory; then run the command again.")


def find_java(least=systems.LEAST_JAVA, most=systems.MOST_JAVA, root=""):
    """JAVA_HOME of the oldest Java between these versions, or ''. Hadoop and Spark are tested on them. ``root``: where / is."""
    best = (most + 1, "")
    for place in ("/usr/lib/jvm/*", "/opt/*", "/opt/*/*"):
        for binary in sorted(glob.glob(f"{root}{place}/bin/java")):
            home = os.path.dirname(os.path.dirname(os.path.realpath(binary)))
            match = re.search(r'JAVA_VERSION="(\d+)', read_text(home + "/release") or "")
            if match and int(match.group(1)) >= least:
                best = min(best, (int(match.group(1)), home))
    return best[1]


def java_packages():
    """The packages with Java for this system, of which one is to be installed; () when nothing is known of it."""
    tools = [tool for tool in ("apt-get", "dnf", "yum") if shutil.which(tool)]
    text = read_text("/etc/os-release") or read_text("/usr/lib/os-release") or ""
    kin = systems.family(systems.read_os_release(text), tools)
    return kin.java if kin and tools else ()


def _install_java(packages, check):
    if check:
        return "Java: " + " or ".join(packages)
    code, out, err = run(["sh", "-c", systems.install_script(packages)], limit_s=1200, check=False)
    installed = [line.split()[-1] for line in out.splitlines() if line.startswith(f"{systems.MARK} installed ")]
    if code or not installed:
        raise NodeError(f"no Java {systems.LEAST_JAVA} to {systems.MOST_JAVA} on this node, and none of {', '.join(packages)} could be "
                        f"installed: {(err or out).strip()[-800:]}. Use an image with a JRE, let this node reach the system's "
                        "packages, or name others in host_java_packages.")
    return "Java: " + installed[0]


def _disks(disks, changes):
    """Mount data disks at /data/1 ... by serial. Returns [{serial, mount, uuid}]."""
    result = []
    for index, disk in enumerate(disks, 1):
        mount = f"/data/{index}"
        device = _device(disk["serial"])
        uuid = _filesystem(device, disk["serial"], changes)
        if uuid:
            _mount(uuid, mount, changes)
        result.append({"serial": disk["serial"], "mount": mount, "uuid": uuid})
    return result


def _device(serial, limit_s=20):
    """The disk's device. A disk attached a moment ago may still be on its way."""
    path = DISK_BY_ID + serial[:20]
    wait_until(limit_s, f"data disk {serial}", lambda: "" if os.path.exists(path) else f"{path} is missing", 0.5, lambda seen: NodeError(
        f"data disk {serial} is not there ({seen}); attached disks: {', '.join(glob.glob(DISK_BY_ID + '*')) or 'none'}"))
    return os.path.realpath(path)


def _filesystem(device, serial, changes):
    """UUID of the disk's file system; makes one only on a disk without any signature."""
    found = dict(line.split("=", 1) for line in run(["blkid", "-p", "-o", "export", device], check=False)[1].splitlines()
                 if "=" in line)
    if found.get("UUID") and found.get("USAGE", "filesystem") == "filesystem":
        return found["UUID"]
    if found.get("TYPE") or found.get("PTTYPE"):
        raise NodeError(f"data disk {serial} ({device}) carries {found.get('TYPE') or found.get('PTTYPE')}, which is not a "
                        "plain file system: it is never formatted. Empty it yourself (wipefs) if you do not need its data.")
    changes.note(f"file system on {serial}")
    if changes.check:
        return ""
    run(["mkfs.ext4", "-q", "-m", "1", "-T", "largefile", "-L", ("emr-" + serial)[:16], device], limit_s=600)
    return run(["blkid", "-p", "-s", "UUID", "-o", "value", device])[1].strip()


def _mount(uuid, mount, changes):
    fstab = read_text("/etc/fstab") or ""
    line = f"UUID={uuid} {mount} ext4 defaults,noatime,nofail 0 2"
    kept = [row for row in fstab.splitlines() if row.split()[1:2] != [mount]]
    changes.file("/etc/fstab", "\n".join(kept + [line]) + "\n")
    if os.path.ismount(mount):
        return
    changes.note(f"mount {mount}")
    if not changes.check:
        os.makedirs(mount, exist_ok=True)
        run(["mount", mount])
