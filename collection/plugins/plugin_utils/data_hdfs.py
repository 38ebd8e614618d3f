"""put and get for paths of HDFS, as one stream between this machine and a program on a master."""
from __future__ import annotations

import contextlib
import os
import time

from ..module_utils.domain.errors import EmrError
from ..module_utils.node.files.frames import BLOCK, in_rows
from ..module_utils.node.oss.files import crc64_of
from .files_stream import FilesProgram
from .local_tree import Tree, appear, place_for
from .streams import ATTEMPTS, NAMED, Part, Progress, Reader, parquet_rows, part_path


class HdfsData:
    """The operations; ``tell(text)`` gets progress."""

    def __init__(self, connection, namenode: str, user: str, tell):
        self.connection, self.asked, self.tell = connection, {"namenode": namenode, "user": user}, tell

    def _program(self, **request) -> FilesProgram:
        return FilesProgram(self.connection, {**self.asked, **request})

    def _persist(self, step, *args) -> dict:
        """Result of a step that goes on where it broke. Raises EmrError."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return step(*args)
            except ConnectionError as error:
                if attempt == ATTEMPTS:
                    raise EmrError(f"the connection broke {attempt} times: {error}", "Run the same command again; it goes on from here") from error
                self.tell(f"the connection broke: {error}; going on")
                time.sleep(0.5 * attempt)
        raise AssertionError("unreachable")

    def put(self, path: str, sources: list) -> dict:
        """Files and folders into HDFS. Several, or a target that is a folder: below it under their names. Each appears at once."""
        tree = Tree(sources)
        tree.for_hdfs()
        return self._persist(self._put, path, tree)

    def _put(self, path: str, tree: Tree) -> dict:
        into = path.endswith("/") or len({row[0].partition("/")[0] for row in tree.files} | {name.partition("/")[0] for name in tree.folders}) > 1
        with self._program(op="put", target=path, into=into) as program:
            return _Put(program, tree, Progress(tree.size, self.tell, files=len(tree.files))).perform()

    def get(self, path: str, target: str, merge: bool = False) -> dict:
        """A file, or a folder with all below it, to this machine."""
        return self._persist(self._get, path, target, merge)

    def _get(self, path: str, target: str, merge: bool) -> dict:
        with self._program(op="get", path=path) as program:
            return _Get(program, path, self.tell).perform(target, merge)

    def rows(self, path: str, size: int, most: int) -> list:
        """The first rows of a Parquet file."""
        with self._program(op="read", path=path) as program:
            def read(take, offset, length):
                program.send({"offset": offset, "length": length})
                take(program.receive()[1])

            try:
                return parquet_rows(Reader(size, read), most, path)
            except ConnectionError as error:
                raise EmrError(f"{path}: {error}", "Run the same command again") from error


class _Put:
    """The sending side of files_put.Put."""

    def __init__(self, program: FilesProgram, tree: Tree, progress: Progress):
        self.program, self.tree, self.progress = program, tree, progress
        self.roots: dict = {}
        self.equal, self.changed = 0, []

    def perform(self) -> dict:
        """Send what HDFS has not."""
        for part in in_rows(self.tree.folders):
            self.program.send({"folders": part})
        for part in in_rows([[name, size] for name, _path, size in self.tree.files]):
            self.program.send({"files": part})
        self.program.send({"listed": True})
        self.program.listen()
        decided = 0
        while decided < len(self.tree.files) or not self.roots:
            message = self._heard()
            self.roots = message.get("roots", self.roots)
            if "have" in message:
                self._compare(message["have"], message["crc"])
                decided += 1
            for i in message.get("need", []):
                self._send(i)
                decided += 1
        if self.changed:
            raise EmrError(f"{len(self.changed)} files changed while they were sent, such as {self.changed[0]}", "Run the same command again")
        self.program.send({"end": True})
        while "done" not in self._heard():
            pass
        rows = [{"path": self._path(name), "bytes": size} for name, _path, size in self.tree.files[:NAMED]]
        return {"changed": self.equal < len(self.tree.files) or not self.tree.files, "put": rows, "files_count": len(self.tree.files),
                "bytes": self.tree.size, "equal_files": self.equal}

    def _heard(self) -> dict:
        """The next message. Files count when they are stored: small ones are sent long before."""
        message = self.program.receive()[0]
        if "stored" in message:
            self.progress.file()
        return message

    def _path(self, name: str) -> str:
        top, _slash, rest = name.partition("/")
        return f"{self.roots[top]}/{rest}" if rest else self.roots[top]

    def _compare(self, i: int, crc: int) -> None:
        _name, path, size = self.tree.files[i]
        if crc64_of(path) == crc:
            self.equal += 1
            self.progress.add(size, skipped=True)
            self.progress.file()
        else:
            self._send(i)

    def _send(self, i: int) -> None:
        """One file, in pieces. A file that changes meanwhile is not stored."""
        _name, path, size = self.tree.files[i]
        with open(path, "rb") as source:
            before, left = os.fstat(source.fileno()), size
            while True:
                block = source.read(min(BLOCK, left))
                left -= len(block)
                after = os.fstat(source.fileno())
                good = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) and after.st_size == size and (block or not left)
                if not good:
                    self.changed.append(path)
                    if left + len(block) < size:
                        self.program.send({"i": i, "drop": True})
                    return
                self.program.send({"i": i, **({} if left else {"last": True})}, block)
                self.progress.add(len(block))
                if not left:
                    return


class _Get:
    """The receiving side of files_get.Get."""

    def __init__(self, program: FilesProgram, path: str, tell):
        self.program, self.path, self.tell = program, path.rstrip("/") or "/", tell
        self.files: list = []
        self.folders: list = []
        self.parts: dict = {}

    def perform(self, target: str, merge: bool) -> dict:
        """Fetch what is not here yet."""
        message: dict = {}
        while "listed" not in message:
            message = self.program.receive()[0]
            self.files += message.get("files", [])
            self.folders += message.get("folders", [])
        name = os.path.basename(self.path)
        if message["folder"]:
            final, work = place_for(name, target, merge)
            for folder in ["", *sorted(self.folders)]:
                os.makedirs(os.path.join(work, folder), exist_ok=True)
            places = [os.path.join(work, row[0]) for row in self.files]
        else:
            there = os.path.abspath(os.path.expanduser(target or "."))
            final = os.path.join(there, name) if target.endswith("/") or os.path.isdir(there) else there
            work, places = final, [final]
        self.progress = Progress(sum(row[1] for row in self.files), self.tell, files=len(self.files))
        try:
            equal = self._fetch(places)
        finally:
            for part in self.parts.values():
                part.close()
        appear(final, work)
        rows = [{"path": f"{self.path.rstrip('/')}/{row[0]}" if message["folder"] else self.path, "bytes": row[1]} for row in self.files[:NAMED]]
        return {"changed": False, "got": rows, "files_count": len(self.files), "bytes": self.progress.total, "equal_files": equal,
                "files": sorted(final + place[len(work):] for place in places[:NAMED])}

    def _fetch(self, places: list) -> int:
        """Ask for the files and write what comes. Returns how many were here already."""
        for numbers in in_rows(list(range(len(places)))):
            self.program.send({"want": [self._want(i, places[i]) for i in numbers]})
        self.program.send({"end": True})
        equal, left = 0, set(range(len(places)))
        while True:
            message, content = self.program.receive()
            if "done" in message:
                break
            i = message["i"]
            if message.get("same"):
                equal += 1
                self.progress.add(self.files[i][1], skipped=True)
                self.progress.file()
                left.discard(i)
                continue
            part = self.parts.get(i) or self._part(i, places[i])
            part.take(content)
            if message.get("last"):
                self.parts.pop(i).finish()
                left.discard(i)
        if left:
            raise ConnectionError(f"{len(left)} files did not come")
        return equal

    def _part(self, i: int, place: str) -> Part:
        """A file that comes from its beginning on."""
        _name, size, version = self.files[i]
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part_path(place, version))
        self.parts[i] = Part(place, size, version, self.progress)
        return self.parts[i]

    def _want(self, i: int, place: str) -> list:
        """[number, where to begin, CRC-64 of what is here in the same size]."""
        size = self.files[i][1]
        if os.path.isfile(place) and os.path.getsize(place) == size:
            return [i, 0, crc64_of(place)]
        part = Part(place, size, self.files[i][2], self.progress)
        if part.have:
            self.parts[i] = part
        return [i, part.have, None]
