"""Passes alerts on to robots of DingTalk, whose messages have a form of their own, which Alertmanager does not know.

Alertmanager posts to http://127.0.0.1:9094/RECEIVER. The robot's token, and behind a blank the key that its messages are signed with where
it wants that, stand in the receiver's secret.
"""
from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ...domain import paths
from ..common import read_text, say
from ..hadoop_http import Daemon, HttpError, base_of

PORT = 9094
NAME = re.compile(r"^/([a-z][a-z0-9-]{0,39})$")
LIMIT_S = 15.0
# DingTalk takes 20,000 bytes; beyond so many alerts the rest is counted.
MOST, MOST_BYTES = 20, 1 << 22


def main(_words):
    """Serve until the unit is stopped."""
    ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
    return 0


class Handler(BaseHTTPRequestHandler):
    """One message of Alertmanager."""

    def do_POST(self):
        """Pass it on; the answer tells Alertmanager whether to try again."""
        found = NAME.match(self.path)
        receivers = json.loads(read_text(paths.DINGTALK_SETTINGS) or "{}")
        size = int(self.headers.get("Content-Length") or 0)
        if not found or found[1] not in receivers or size > MOST_BYTES:
            self._answer(404, "no such receiver")
            return
        said = send(receivers[found[1]], read_text(f"{paths.MONITORING_SECRETS}/{found[1]}") or "", json.loads(self.rfile.read(size)))
        if said:
            say(f"{found[1]}: {said}", err=True)
        self._answer(502 if said else 200, said)

    def _answer(self, code, words):
        self.send_response(code)
        self.end_headers()
        self.wfile.write(words.encode())

    def log_message(self, *_words):
        """Nothing: a message that arrives is no news."""


def send(url, secret, told):
    """Send one message; '' or what went wrong, without the secret."""
    token, _blank, key = secret.strip().partition(" ")
    address, path = base_of(url)
    query = {"access_token": token, **(signature(key.strip(), time.time()) if key.strip() else {})}
    try:
        answer = Daemon(address, name="DingTalk").ask(path, "POST", query=query, data=json.dumps(message(told)).encode(),
                                                      headers={"Content-Type": "application/json"}, limit_s=LIMIT_S)
        found = json.loads(answer)
    except HttpError as error:
        return f"DingTalk at {address}: {error.last}"
    except ValueError:
        return f"DingTalk at {address} gave no JSON"
    return "" if found.get("errcode") == 0 else f"DingTalk refused it: {found.get('errcode')} {found.get('errmsg', '')}".replace(token or "\0", "***")


def signature(key, now):
    """What a robot with a key wants in its address."""
    stamp = str(int(now * 1000))
    digest = hmac.new(key.encode(), f"{stamp}\n{key}".encode(), hashlib.sha256).digest()
    return {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}


def message(told):
    """A message of Alertmanager as DingTalk's robots take it."""
    lines, rows = [], told.get("alerts", [])
    for row in rows[:MOST]:
        labels, words = row.get("labels", {}), row.get("annotations", {})
        state = "resolved" if row.get("status") == "resolved" else labels.get("severity", "")
        lines.append(f"- **{state}** {labels.get('alertname', '')} {labels.get('node', '')}  \n  {words.get('means', '')}  \n  {words.get('help', '')}")
    if len(rows) > MOST:
        lines.append(f"- and {len(rows) - MOST} more")
    name = told.get("groupLabels", {}).get("alertname", "alerts")
    title = f"{'Resolved: ' if told.get('status') == 'resolved' else ''}{name} ({len(rows)})"
    return {"msgtype": "markdown", "markdown": {"title": title, "text": f"### {title}\n" + "\n".join(lines)}}
