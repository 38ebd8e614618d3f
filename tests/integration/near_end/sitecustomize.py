"""For programs of tests whose nodes are instances of the local API alone: port 22 of each of them answers, as sshd does."""
import os
import socket

_connect = socket.create_connection


def _answering(address, *args, **kwargs):
    if address[1] != 22:
        return _connect(address, *args, **kwargs)
    near, far = socket.socketpair()
    far.sendall(b"SSH-2.0-test\r\n")
    far.close()
    return near


if os.environ.get("NODES_ANSWER"):
    socket.create_connection = _answering
