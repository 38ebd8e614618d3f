"""Files and folders of this machine that a person names, with all that is in them."""
from __future__ import annotations

import os
import stat

from ..module_utils.domain.errors import Refused
from ..module_utils.node.hdfs.client import NAME_MAX
from .streams import part_path


class Tree:
    """``files``: (name, path, bytes), ``folders``: names. The first part of a name is that of the source. Links are followed.

    Raises Refused for what is not there, cannot be read, is not a file, or is named twice.
    """

    def __init__(self, sources: list):
        self.files: list = []
        self.folders: list = []
        tops: dict = {}
        for source in sources:
            path = os.path.normpath(os.path.abspath(os.path.expanduser(source)))
            top = os.path.basename(path)
            if not top:
                raise Refused(f"{source}: the whole file system", "Name a folder of it")
            if top in tops:
                raise Refused(f"{tops[top]} and {source} have the same name, {top}", "Copy them one after the other")
            tops[top] = source
            self._add(top, path, ())

    def _add(self, name: str, path: str, above: tuple) -> None:
        try:
            name.encode()
            found = os.stat(path)
            if not os.access(path, os.R_OK):
                raise PermissionError(13, "you may not read it")
            if stat.S_ISREG(found.st_mode):
                self.files.append((name, path, found.st_size))
                return
            if not stat.S_ISDIR(found.st_mode):
                raise Refused(f"{path}: not a file or a folder", "Leave it out, or put its content into a file")
            key = (found.st_dev, found.st_ino)
            if key in above:
                raise Refused(f"{path}: a link to a folder above it", "Remove the link")
            self.folders.append(name)
            for below in sorted(os.listdir(path)):
                self._add(f"{name}/{below}", os.path.join(path, below), (*above, key))
        except UnicodeEncodeError:
            raise Refused(f"{os.fsencode(path)!r}: its name is not UTF-8", "Rename it, for example with convmv") from None
        except OSError as error:
            raise Refused(f"{path}: {error.strerror}", "Give the path of a readable file or folder") from None

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(row[2] for row in self.files)

    def for_hdfs(self) -> None:
        """Raises Refused for a name that HDFS does not take."""
        for name in [row[0] for row in self.files] + self.folders:
            last = name.rpartition("/")[2]
            if ":" in last:
                raise Refused(f"{name}: HDFS takes no name with a colon", "Rename it")
            if len(last.encode()) > NAME_MAX:
                raise Refused(f"{name}: HDFS takes names of up to {NAME_MAX} bytes, this has {len(last.encode())}", "Rename it")


def place_for(name: str, text: str, merge: bool = False) -> tuple:
    """(path of a folder that is fetched to ``text``, path until it is complete).

    As cp -r does: below a folder that is there (or whose name ends in a slash), else it gets that name. ``merge``: it gets that name in any
    case. A folder that is there is filled where it is. Raises Refused when a file is in the way.
    """
    target = os.path.abspath(os.path.expanduser(text or "."))
    final = os.path.join(target, name) if name and not merge and (text.endswith("/") or os.path.isdir(target)) else target
    if os.path.isdir(final):
        return final, final
    if os.path.lexists(final):
        raise Refused(f"{final} is a file, but a folder was asked for", "Name a folder")
    return final, part_path(final)


def appear(final: str, work: str) -> None:
    """Let a complete folder have its name."""
    if work != final:
        os.rename(work, final)
