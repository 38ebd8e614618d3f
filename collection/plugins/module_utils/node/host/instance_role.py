"""The temporary key of an instance's RAM role, from its metadata service."""
from __future__ import annotations

import json
import urllib.request

METADATA = "http://100.100.100.200/latest"
# Seconds that a token of the metadata service is good for, and that it may take to answer.
TOKEN_S, TIMEOUT_S = 300, 5


def role_key(base=METADATA):
    """{access_key_id, access_key_secret, security_token} of this instance's RAM role as it has them now; None when it has no role."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(path, method="GET", **headers):
        request = urllib.request.Request(base + path, method=method, headers=headers)
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            return answer.read().decode()

    try:
        headers = {}
        try:
            headers["X-aliyun-ecs-metadata-token"] = ask("/api/token", "PUT", **{"X-aliyun-ecs-metadata-token-ttl-seconds": str(TOKEN_S)})
        except (OSError, ValueError):
            pass  # an instance that takes requests without a token only
        role = ask("/meta-data/ram/security-credentials/", **headers).strip().splitlines()
        if not role:
            return None
        found = json.loads(ask("/meta-data/ram/security-credentials/" + role[0], **headers))
        return {"access_key_id": found["AccessKeyId"], "access_key_secret": found["AccessKeySecret"],
                "security_token": found["SecurityToken"]}
    except (OSError, ValueError, KeyError):
        return None
