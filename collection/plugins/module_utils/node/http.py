"""Small HTTP calls inside the cluster. Runs on Python 3.8 and newer."""
from __future__ import annotations

import json
import urllib.error
import urllib.request

from .common import NodeError


def http(url, method="GET", data=None, limit_s=5.0, headers=None):
    """Body of an HTTP answer as bytes. Raises NodeError with the status, or OSError when nobody answers."""
    # No proxy: a proxy variable on the node must never catch traffic inside the cluster.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with opener.open(request, timeout=limit_s) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        detail = error.read(2000).decode(errors="replace")
        raise NodeError(f"{method} {url} answered {error.code}: {_words(detail)}", status=error.code)


def _words(detail):
    """What an error is about: HDFS and YARN wrap it, with a trace of theirs."""
    try:
        return json.loads(detail)["RemoteException"]["message"].splitlines()[0]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return detail


def get_json(url, limit_s=5.0):
    """Parsed JSON of a GET; None when nobody answers, the answer is an error, or it is not JSON."""
    try:
        return json.loads(http(url, limit_s=limit_s))
    except (OSError, ValueError, NodeError):
        return None
