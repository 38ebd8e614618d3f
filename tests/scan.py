"""Scan all TCP ports of addresses with plain connects; prints JSON {address: [open ports]}. Run inside a network namespace.

Usage: python3 scan.py [--timeout S] ADDRESS...
Only addresses of test hosts that the caller made itself are ever given.
"""
import argparse
import errno
import json
import select
import socket
import time
from concurrent.futures import ProcessPoolExecutor

BATCH = 2000


def open_ports(address: str, timeout: float, ports=range(1, 65536)) -> list:
    """The TCP ports that answer a connect within `timeout` seconds; silence and refusal both count as closed."""
    found, ports = [], list(ports)
    for start in range(0, len(ports), BATCH):
        found += _batch(address, ports[start:start + BATCH], timeout)
    return found


def _batch(address: str, ports: list, timeout: float) -> list:
    found, waiting = [], {}
    poller = select.poll()
    for port in ports:
        sock = socket.socket()
        sock.setblocking(False)
        code = sock.connect_ex((address, port))
        if code == 0:
            found.append(port)
            sock.close()
        elif code == errno.EINPROGRESS:
            waiting[sock.fileno()] = (sock, port)
            poller.register(sock, select.POLLOUT)
        else:
            sock.close()
    deadline = time.monotonic() + timeout
    while waiting and time.monotonic() < deadline:
        for number, _ in poller.poll(max(1, int((deadline - time.monotonic()) * 1000))):
            sock, port = waiting.pop(number)
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                found.append(port)
            poller.unregister(number)
            sock.close()
    for sock, _ in waiting.values():
        sock.close()
    return sorted(found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--timeout", type=float, default=0.6)
    parser.add_argument("addresses", nargs="+")
    options = parser.parse_args()
    with ProcessPoolExecutor(len(options.addresses)) as pool:
        found = pool.map(open_ports, options.addresses, [options.timeout] * len(options.addresses))
    print(json.dumps(dict(zip(options.addresses, found, strict=True))))
