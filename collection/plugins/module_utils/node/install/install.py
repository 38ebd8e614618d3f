"""Fetch, verify and unpack release artifacts on a node.

Each artifact is fetched from outside once, by the control node; the others take it from there. Nothing is unpacked
before its SHA-512 is right, and nothing is visible under its final name before it is complete.
"""
from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import urllib.error
import urllib.request

from ...domain import paths
from ...domain.waiting import wait
from ..common import NodeError, digest_of, read_text, run, write_atomic

CACHE = paths.CACHE
ROOT = paths.ROOT
SERVER_UNIT = "emr-artifacts"


def install(params, check):
    """Install all artifacts of the options. Returns {name: where it came from} of what was (or would be) installed.

    With ``beside`` they are only unpacked: what is installed stays the one in use until a run without it.
    ``signed``: {address in OSS: one by which it can be read for a while}. Those are secrets; what is told are the others.
    Raises NodeError with ``unfetched``, the names of what no source gave.
    """
    done, problems, signed = {}, {}, params.get("signed") or {}
    beside = params.get("beside", False)
    there = unpacked_digest if beside else installed_digest
    missing = [a for a in params["artifacts"] if there(a) != a["sha512"] or (params["serve_address"] and not _served(a))]
    if not check:
        _open_cache()
        if params["serve_address"]:
            _serve(params["serve_address"], params["serve_port"], params["serve_limit_s"])
    for artifact in missing:
        if check:
            done[artifact["name"]] = artifact["urls"][0] if artifact["urls"] else ""
            continue
        if not beside and installed_digest(artifact) != artifact["sha512"] == unpacked_digest(artifact):
            point(artifact)
            done[artifact["name"]] = "unpacked before"
        if there(artifact) == artifact["sha512"] and not params["serve_address"]:
            continue
        try:
            path, done[artifact["name"]] = fetch(artifact, params["peer"], params["limit_s"], signed)
        except NodeError as error:
            problems[artifact["name"]] = str(error)
            continue
        if unpacked_digest(artifact) != artifact["sha512"]:
            unpack(path, artifact)
        if not beside:
            point(artifact)
    if problems:
        raise NodeError("\n".join(problems.values()), unfetched=sorted(problems))
    return done


def _served(artifact):
    """Whether the archive, which may have been installed long ago, still lies where the other nodes look for it."""
    return os.path.exists(os.path.join(CACHE, artifact["file"]))


def _open_cache():
    """Make the cache, and let the account that serves it read what is there, by whichever umask it came."""
    os.makedirs(CACHE, exist_ok=True)
    os.chmod(CACHE, 0o755)
    for entry in os.scandir(CACHE):
        if entry.is_file(follow_symlinks=False):
            os.chmod(entry.path, 0o644)


def installed_digest(artifact):
    """SHA-512 of the archive that the artifact's link points to now; '' when it is not installed."""
    target, link = os.path.join(ROOT, artifact["target"]), os.path.join(ROOT, artifact["link"])
    return unpacked_digest(artifact) if os.path.realpath(link) == os.path.realpath(target) else ""


def unpacked_digest(artifact):
    """SHA-512 of the archive that lies unpacked in the artifact's folder, in use or not; '' when there is none."""
    target = os.path.join(ROOT, artifact["target"])
    try:
        return json.loads(read_text(os.path.join(target, paths.ARTIFACT_MARK)) or "{}").get("sha512", "")
    except ValueError:
        return ""


def fetch(artifact, peer, limit_s, signed):
    """Bring the archive into the cache. Returns (path, source). Raises NodeError that lists what each source said.

    ``peer``: base URL on the control node, tried until the limit since it may still be fetching itself.
    """
    path = os.path.join(CACHE, artifact["file"])
    if os.path.exists(path) and digest_of(path, "sha512") == artifact["sha512"]:
        return path, "cache"
    deadline = time.monotonic() + limit_s
    said = []
    if peer:
        said += _try_until(f"{peer}/{artifact['file']}", artifact, path, deadline - limit_s / 3)
        if not said:
            return path, f"{peer}/{artifact['file']}"
    for attempt in range(3 if artifact["urls"] else 0):
        for url in artifact["urls"]:
            problem = download(signed.get(url, url), artifact["sha512"], path, deadline)
            if not problem:
                return path, url
            said.append(f"{url}: {problem}")
        if time.monotonic() > deadline:
            break
        time.sleep(min(2 ** attempt, 5))
    raise NodeError(f"{artifact['file']} could not be fetched. " + "; ".join(dict.fromkeys(said or ["No source is known"])) +
                    ". Make it on the controller (emrctl dist build) and run the same command again, or set mirrors in the spec (or "
                    "EMR_MIRRORS) to folders that hold it, reachable from this node.")


def _try_until(url, artifact, path, deadline):
    """Ask one source again and again. Returns [] when the file is here, else the last problem."""
    problem = wait(lambda: download(url, artifact["sha512"], path, deadline), deadline - time.monotonic(), 0.15)
    return [f"{url}: {problem}"] if problem else []


def download(url, digest, path, deadline):
    """One attempt. Returns '' when ``path`` holds the verified file, else what went wrong, which never tells a signed address."""
    if url.startswith("oss://"):
        return "lies in OSS, and the controller signed no address of it"
    part = f"{path}.part"
    checksum = hashlib.sha512()
    size = 0
    try:
        with urllib.request.build_opener().open(url, timeout=15) as answer, open(part, "wb") as out:
            while True:
                block = answer.read(1 << 20)
                if not block:
                    break
                out.write(block)
                checksum.update(block)
                size += len(block)
                if time.monotonic() > deadline:
                    return f"too slow: {size} bytes until the limit"
            expected = answer.headers.get("Content-Length")
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))
    if expected and int(expected) != size:
        return f"cut off after {size} of {expected} bytes"
    if checksum.hexdigest() != digest:
        os.unlink(part)
        return f"wrong content: SHA-512 {checksum.hexdigest()[:16]}…, the release says {digest[:16]}…"
    # It is served by an account of its own.
    os.chmod(part, 0o644)
    os.rename(part, path)
    return ""


def unpack(path, artifact):
    """Unpack the archive (one top folder) to its target in one step."""
    target = os.path.join(ROOT, artifact["target"])
    os.makedirs(ROOT, exist_ok=True)
    temporary = f"{target}.unpacking"
    shutil.rmtree(temporary, ignore_errors=True)
    os.makedirs(temporary)
    run(["tar", "-x", "-f", path, "-C", temporary, "--strip-components=1", "--no-same-owner"], limit_s=900)
    record = {"name": artifact["name"], "sha512": artifact["sha512"], "file": artifact["file"], "link": artifact["link"]}
    write_atomic(os.path.join(temporary, paths.ARTIFACT_MARK), json.dumps(record) + "\n")
    os.chmod(temporary, 0o755)
    if os.path.isdir(target) and not os.path.islink(target):
        # A folder left by another archive of the same version: moved aside first, since rename needs the name free.
        old = f"{target}.old"
        shutil.rmtree(old, ignore_errors=True)
        os.rename(target, old)
        os.rename(temporary, target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.rename(temporary, target)


def point(artifact):
    """Make an unpacked artifact the one in use, in one step."""
    link = os.path.join(ROOT, artifact["link"])
    if os.path.realpath(link) == os.path.realpath(os.path.join(ROOT, artifact["target"])):
        return
    fresh = f"{link}.new"
    if os.path.lexists(fresh):
        os.unlink(fresh)
    os.symlink(artifact["target"], fresh)
    os.rename(fresh, link)


def _serve(address, port, limit_s):
    """Serve the cache to the other nodes, on the private address only, by a unit that ends by itself."""
    active = run(["systemctl", "is-active", f"{SERVER_UNIT}.service"], check=False)[1].strip()
    if active == "active":
        return
    run(["systemctl", "reset-failed", f"{SERVER_UNIT}.service"], check=False)
    run(["systemd-run", "--quiet", "--collect", f"--unit={SERVER_UNIT}", "-p", f"RuntimeMaxSec={limit_s}",
         "-p", "User=nobody", "-p", "NoNewPrivileges=yes", "-p", "ProtectSystem=strict",
         paths.PYTHON, "-m", "http.server", str(port), "--bind", address, "--directory", CACHE])
