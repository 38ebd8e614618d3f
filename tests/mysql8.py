"""Signs users on as MySQL 8 does without TLS (caching_sha2_password, its full exchange), and then ends: for the driver's side of it.

``python mysql8.py PORT`` with the password in MYSQL8_PASSWORD. Formats: MySQL's documentation of the protocol, "Connection Phase".
"""
from __future__ import annotations

import os
import socketserver
import struct
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

NONCE = b"0123456789abcdefghij"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
# LONG_PASSWORD, CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH, its length encoded
CAPABILITIES = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000 | 0x200000
FULL_EXCHANGE, ASK_FOR_KEY = b"\x01\x04", b"\x02"
RIGHT, WRONG = "the password was right, and there is nothing else here", "the password was wrong"


class SignOn(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self):
        self.number = 0
        self.send(b"\x0a8.0.40\0" + struct.pack("<I", 7) + NONCE[:8] + b"\0" + struct.pack("<HBHHB", CAPABILITIES & 0xFFFF, 45, 2, CAPABILITIES >> 16, 21)
                  + bytes(10) + NONCE[8:] + b"\0caching_sha2_password\0")
        self.receive()
        self.send(b"\xfecaching_sha2_password\0" + NONCE + b"\0")
        self.receive()
        self.send(FULL_EXCHANGE)
        if self.receive() != ASK_FOR_KEY:
            self.error("no key was asked for")
            return
        self.send(b"\x01" + KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
        mixed = KEY.decrypt(self.receive(), padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
        found = bytes(byte ^ NONCE[at % len(NONCE)] for at, byte in enumerate(mixed))
        self.error(RIGHT if found == os.environ["MYSQL8_PASSWORD"].encode() + b"\0" else WRONG)

    def send(self, body):
        self.wfile.write(struct.pack("<I", len(body))[:3] + bytes([self.number]) + body)
        self.number += 1

    def receive(self):
        head = self.rfile.read(4)
        self.number = head[3] + 1
        return self.rfile.read(int.from_bytes(head[:3], "little"))

    def error(self, text):
        self.send(b"\xff" + struct.pack("<H", 1045) + b"#28000" + text.encode())


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), SignOn).serve_forever()
