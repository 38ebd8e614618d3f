"""Parses one inventory source and prints seconds and memory as JSON: python inventory_child.py SOURCE [--collections PATH].

Run by bench/inventory.py with the interpreter of whichever Ansible is measured. ``parse`` is what ansible does with its -i;
``import`` what it costs to be Ansible at all; memory is the largest resident size of the process in MiB.
"""
import json
import resource
import sys
import time


def largest_mib():
    """Peak of the resident set."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    """Measure once."""
    began, cpu = time.monotonic(), time.process_time()
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader
    from ansible.plugins.loader import init_plugin_loader

    init_plugin_loader([])
    imported, import_cpu, base = time.monotonic(), time.process_time(), largest_mib()
    inventory = InventoryManager(loader=DataLoader(), sources=[sys.argv[1]])
    print(json.dumps({
        "hosts": len(inventory.hosts), "groups": len(inventory.groups), "import_s": imported - began,
        "parse_s": time.monotonic() - imported, "parse_cpu_s": time.process_time() - import_cpu,
        "import_cpu_s": import_cpu - cpu, "base_mib": base, "peak_mib": largest_mib()}))


if __name__ == "__main__":
    main()
