"""Metadata service: what an instance can ask about itself at http://100.100.100.200/latest/.

Hosts reach it through their own network namespace (emrctl.local.network); the server knows them by their address. In
API-only mode a port of 127.0.0.1 can be opened for one instance.
"""
from __future__ import annotations

import base64
import hmac
import json
import time

from .clock import stamp_seconds
from .identity import ACCOUNT_ID

TTL_HEADER = "x-aliyun-ecs-metadata-token-ttl-seconds"
TOKEN_HEADER = "x-aliyun-ecs-metadata-token"
MOST_TTL = 21600
_TEXT = "text/plain"


class Metadata:
    """Answers of one cloud's metadata service. ``key`` signs its tokens: bytes that only this server knows."""

    def __init__(self, cloud, key: bytes, now=time.time):
        self._cloud = cloud
        self._key = key
        self._now = now

    def answer(self, method: str, path: str, headers: dict, instance: dict | None) -> tuple:
        """(status, text, content type) for a request of an instance; header names in lower case."""
        if instance is None or instance["released"]:
            return 404, "no such instance\n", _TEXT
        if instance.get("http_endpoint") == "disabled":
            return 403, "the metadata service of this instance is disabled\n", _TEXT
        if path.rstrip("/") == "/latest/api/token":
            return self._token(method, headers, instance)
        if method not in ("GET", "HEAD"):
            return 405, "method not allowed\n", _TEXT
        token = headers.get(TOKEN_HEADER, "")
        if (token or instance.get("http_tokens") == "required") and not self._good(token, instance):
            return 403, "the metadata token is missing, wrong or expired\n", _TEXT
        return self._page(path, instance)

    def _token(self, method: str, headers: dict, instance: dict) -> tuple:
        """PUT /latest/api/token: a token that is good for so many seconds, for this instance only."""
        if method != "PUT":
            return 405, "method not allowed\n", _TEXT
        seconds = headers.get(TTL_HEADER, "")
        if not (seconds.isascii() and seconds.isdigit() and 1 <= int(seconds) <= MOST_TTL):
            return 400, f"{TTL_HEADER} must be 1 to {MOST_TTL}\n", _TEXT
        return 200, self._sign(f"{self._now() + int(seconds):.3f}", instance), _TEXT

    def _sign(self, ends: str, instance: dict) -> str:
        digest = hmac.digest(self._key, f"{instance['id']}/{ends}".encode(), "sha256")
        return base64.urlsafe_b64encode(ends.encode() + b"/" + digest).decode()

    def _good(self, token: str, instance: dict) -> bool:
        try:
            ends = base64.urlsafe_b64decode(token).split(b"/", 1)[0].decode()
            return float(ends) > self._now() and hmac.compare_digest(self._sign(ends, instance), token)
        except (ValueError, TypeError):
            return False

    def _page(self, path: str, item: dict) -> tuple:
        """A value, the names below a folder one per line, or 404."""
        if path.rstrip("/") == "/latest/user-data":
            return (200, base64.b64decode(item["user_data"]).decode("utf-8", "replace"), _TEXT) \
                if item["user_data"] else (404, "not found\n", _TEXT)
        if path.rstrip("/") == "/latest/dynamic/instance-identity/document":
            return 200, json.dumps(self._document(item)), "application/json"
        root, _, rest = path.partition("/latest/meta-data")
        node = self._tree(item) if not root and path.startswith("/latest/meta-data") else None
        for name in filter(None, rest.split("/")):
            node = node.get(name) if isinstance(node, dict) else None
        if callable(node):
            return 200, json.dumps(node(), indent=2), "application/json"
        if isinstance(node, dict):
            return 200, "\n".join(f"{name}/" if isinstance(below, dict) else name for name, below in node.items()), _TEXT
        return (200, node, _TEXT) if node is not None else (404, "not found\n", _TEXT)

    def _tree(self, item: dict) -> dict:
        """Everything below /latest/meta-data: folders are dictionaries, computed pages functions."""
        vpc = self._cloud.vpc(item)
        card = {"network-interface-id": item["eni"], "primary-ip-address": item["ip"], "private-ipv4s":
                json.dumps([item["ip"]]), "netmask": str(self._cloud.subnet.netmask), "gateway":
                str(self._cloud.subnet[1]), "vpc-id": vpc, "vswitch-id": item["vswitch"],
                "vpc-cidr-block": str(self._cloud.subnet), "vswitch-cidr-block": str(self._cloud.subnet)}
        instance = {"instance-type": item["type"], "instance-name": item["name"], "spot": {}}
        if item.get("spot_ends"):
            instance["spot"] = {"termination-time": stamp_seconds(item["spot_ends"])}
        tree = {
            "instance-id": item["id"], "region-id": item["region"], "zone-id": item["zone"], "hostname": item["hostname"],
            "image-id": item["image"], "private-ipv4": item["ip"], "mac": item["mac"], "network-type": "vpc",
            "vpc-id": vpc, "vpc-cidr-block": str(self._cloud.subnet), "vswitch-id": item["vswitch"],
            "vswitch-cidr-block": str(self._cloud.subnet), "owner-account-id": ACCOUNT_ID,
            "serial-number": item["id"][2:], "instance": instance,
            "network": {"interfaces": {"macs": {item["mac"]: card}}},
            "disks": {disk["serial"]: {"id": disk["id"], "name": disk["name"]} for disk in item["disks"]}}
        if item["public_ip"]:
            tree["public-ipv4"] = tree["eipv4"] = item["public_ip"]
        if item["public_key"]:
            tree["public-keys"] = {"0": {"openssh-key": item["public_key"]}}
        role = item.get("ram_role")
        if role:
            tree["ram"] = {"security-credentials": {role: lambda: {
                **self._cloud.sessions.of_instance(item["id"], role), "Code": "Success"}}}
        return tree

    def _document(self, item: dict) -> dict:
        """The identity document, not signed."""
        return {"owner-account-id": ACCOUNT_ID, "instance-id": item["id"], "mac": item["mac"],
                "region-id": item["region"], "zone-id": item["zone"], "private-ipv4": item["ip"],
                "serial-number": item["id"][2:], "instance-type": item["type"], "image-id": item["image"]}
