"""Gives a node files of this machine's cache, over the connection that the task has: with progress, going on after a break."""
from __future__ import annotations

import hashlib
import shlex
import time
from pathlib import Path

from ansible.errors import AnsibleConnectionFailure
from ansible.utils.display import Display

from ..module_utils.domain.errors import EmrError
from ..module_utils.domain.paths import ARTIFACT_MARK
from ..module_utils.node.install.install import CACHE, ROOT
from .streams import ATTEMPTS, Progress

# Bytes of a step: as much as goes through in about STEP_S, so that progress is seen on a slow line and a fast one loses no time.
LEAST, MOST, STEP_S = 1 << 20, 32 << 20, 2.0
display = Display()


def push(action, files: list) -> list:
    """Put files into the node's cache: [(path here, its SHA-512)]. Returns the names of those that were not there. Raises EmrError."""
    found = [(path, digest, *_state(action, path.name, digest)) for path, digest in files]
    todo = [row for row in found if not row[2]]
    progress = Progress(sum(path.stat().st_size for path, *_rest in todo),
                        lambda text: display.display(f"emr: pushing the software to {_host(action)}: {text}"))
    for path, digest, _there, have in todo:
        _push(action, path, digest, have, progress)
    return [path.name for path, *_rest in todo]


def installed(action, artifact) -> bool:
    """Whether the node has this artifact unpacked."""
    return artifact.sha512 in _shell(action, f"cat {shlex.quote(f'{ROOT}/{artifact.top}/{ARTIFACT_MARK}')} 2>/dev/null; true")


def _host(action) -> str:
    return action.task_vars["inventory_hostname"]


def _state(action, name: str, digest: str) -> tuple:
    """(whether the file is there, bytes that an interrupted copy of it left)."""
    file = shlex.quote(name)
    # The file modes are those of this line, whatever the umask of root is: another user's program serves the folder.
    said = _shell(action, f"umask 022; mkdir -p {CACHE} && cd {CACHE} && {{ [ ! -f {file} ] || sha512sum < {file}; "
                          f"[ ! -f {file}.part ] || stat -c 'part %s' {file}.part; }}").split()
    return digest in said, int(said[said.index("part") + 1]) if "part" in said else 0


def _push(action, path: Path, digest: str, have: int, progress: Progress) -> None:
    size, part = path.stat().st_size, shlex.quote(f"{CACHE}/{path.name}.part")
    with open(path, "rb") as source:
        at = have if 0 < have <= size and _begin(source, have) in _shell(action, f"head -c {have} {part} | sha512sum") else 0
        progress.add(at, skipped=True)
        source.seek(at)
        step = LEAST
        while block := source.read(step):
            began = time.monotonic()
            # Cut to what is known to be right first: a step that broke half-way is sent again.
            _send(action, f"umask 022; touch {part} && truncate -s {at} {part} && cat >> {part}", block, path.name)
            at += len(block)
            progress.add(len(block))
            step = int(min(MOST, max(LEAST, len(block) * STEP_S / max(time.monotonic() - began, 0.001))))
    file = shlex.quote(f"{CACHE}/{path.name}")
    if digest not in _shell(action, f"sha512sum < {part}"):
        _shell(action, f"rm -f {part}")
        raise EmrError(f"{path.name} arrived with other content than the release's", "Look at it with: emrctl dist verify; then run the "
                       "same command again")
    _shell(action, f"chmod 0644 {part} && mv {part} {file}")


def _begin(source, count: int) -> str:
    """SHA-512 of the first ``count`` bytes."""
    checksum = hashlib.sha512()
    while count and (block := source.read(min(count, 1 << 20))):
        checksum.update(block)
        count -= len(block)
    return checksum.hexdigest()


def _send(action, command: str, block: bytes, name: str) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _shell(action, command, block)
            return
        except AnsibleConnectionFailure as error:
            if attempt == ATTEMPTS:
                raise EmrError(f"{name}: the connection to {_host(action)} broke {attempt} times: {error}",
                               "Run the same command again; it goes on from here") from error
            time.sleep(0.5 * attempt)


def _shell(action, command: str, content: bytes = b"") -> str:
    answer = action._low_level_execute_command(command, sudoable=True, in_data=content or None)
    if answer["rc"]:
        raise EmrError(f"{_host(action)}: {command.rsplit('; ', maxsplit=1)[-1][:200]} ended with {answer['rc']}: "
                       f"{(answer.get('stderr') or answer['stdout']).strip()[-500:]}", "Run the same command again; it goes on from here")
    return answer["stdout"]
