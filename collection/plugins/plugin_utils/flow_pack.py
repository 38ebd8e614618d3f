"""Flow files on the controller: read, checked, and packed with the files of their jobs into one archive for the control node."""
from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile

from ansible.utils.display import Display

from ..module_utils.domain.errors import Refused, SpecError, SpecProblem
from ..module_utils.domain.flows.definition import flow_from, flow_of_job, load_flow, parse_flow
from ..module_utils.domain.jobs import parameters as job_parameters, request as job_request
from ..module_utils.domain.jobs.options import in_seconds
from .context import plain
from .parameters import check
from .scripts import REMEDY, windows_line_ends

# All files of a flow together.
MAX_BYTES = 512 << 20


class Flow:
    """A checked flow, where it came from, and the files of its jobs."""

    def __init__(self, data: dict, source: str, folder: str, lines: dict):
        self.data, self.source, self.folder, self.lines = data, source, folder, lines
        # name in the archive -> path here
        self.files: dict = {}
        self.definition = self._definition()

    def local(self, path: str) -> str:
        """A path of the flow file as a path of this machine."""
        return os.path.abspath(os.path.join(self.folder, os.path.expanduser(path)))

    def digest(self) -> str:
        """Digest of all that the flow does, the content of its files included."""
        found = hashlib.sha256(json.dumps(self.definition, sort_keys=True).encode())
        for name, path in sorted(self.files.items()):
            with open(path, "rb") as handle:
                found.update(f"{name} {hashlib.file_digest(handle, 'sha256').hexdigest()}".encode())
        return found.hexdigest()

    def take(self, given: dict) -> None:
        """Other values for parameters of the flow, or for names that its jobs use. Raises Refused for a name that nothing uses."""
        parameters = self.definition["parameters"]
        jobs = self.definition["jobs"]
        queries = [path for name, path in self.files.items() if job_request.is_query(jobs[name.split("/")[0]]["type"], path)]
        check("the flow", given, parameters, [{**job_request.DEFAULTS, **job} for job in jobs.values()], queries)
        self.definition["parameters"] = {**parameters, **given}
        around = job_parameters.circle(self.definition["parameters"])
        if around:
            raise Refused(f"parameters name each other in a circle: {' names '.join(around)}", "Give one of them a value of its own")

    def _definition(self) -> dict:
        """The flow as the node wants it: times in seconds, local files by their names in the archive. Raises SpecError."""
        problems: list = []
        jobs = {}
        for name, job in self.data["jobs"].items():
            job = in_seconds(job)
            self._problems(name, job, problems)
            for key in job_request.RESOURCES:
                job[key] = [self._packed(name, key, i, path, problems) for i, path in enumerate(job[key])]
            if job.get("python_env"):
                job["python_env"] = self._packed(name, "python_env", 0, job["python_env"], problems)
            jobs[name] = job
        if problems:
            raise SpecError(problems)
        return {"name": self.data["name"], "parallel": self.data["parallel"], "parameters": self.data["parameters"], "jobs": jobs}

    def _problems(self, name: str, job: dict, problems: list) -> None:
        """What the master would refuse when the job's turn comes is told before."""
        asked = {key: value for key, value in job.items() if key in job_request.DEFAULTS and key != "on_failure"}
        problems += [SpecProblem(f"jobs.{name}", text, "Correct this job.", self.lines.get(f"jobs.{name}"), self.source)
                     for text in job_request.problems({**job_request.DEFAULTS, **asked})]

    def _packed(self, job: str, key: str, number: int, path: str, problems: list) -> str:
        if "://" in path:
            return path
        plain_path, mark, alias = path.partition("#")
        local = self.local(plain_path)
        name = f"{job}/{key}/{os.path.basename(local)}"
        where = f"jobs.{job}.{key}[{number}]"
        where = where if where in self.lines else f"jobs.{job}.{key}"
        line = self.lines.get(where)
        if not os.path.isfile(local):
            problems.append(SpecProblem(where, f"there is no file {local}", "Give a path relative to the flow file, or an hdfs:// or "
                                        "oss:// address.", line, self.source))
        elif self.files.get(name, local) != local:
            problems.append(SpecProblem(where, f"two files of this job are called {os.path.basename(local)}", "Rename one: they are "
                                        "put into one folder.", line, self.source))
        elif wrong := windows_line_ends(local):
            problems.append(SpecProblem(where, wrong, REMEDY, line, self.source))
        self.files[name] = local
        return name + mark + alias


def read_flow(args: dict) -> Flow:
    """The flow of the arguments: ``flow_file``, ``flow`` (text), or ``request`` (one job) called ``name``. Raises SpecError, Refused."""
    lines: dict = {}
    odd: list = []
    given = args.get("flow_file")
    if given:
        path = os.path.abspath(os.path.expanduser(str(given)))
        data, source = load_flow(path, lines), path
    elif isinstance(args.get("flow"), dict):
        data, source, path = flow_from(plain(args["flow"]), "emr_flow", lines, odd), "emr_flow", os.path.join(os.getcwd(), "x")
    elif args.get("flow"):
        data, source, path = parse_flow(str(args["flow"]), "emr_flow", lines), "emr_flow", os.path.join(os.getcwd(), "x")
    elif args.get("request"):
        name = str(args.get("name") or "")
        data, source, path = flow_of_job(name, plain(args["request"]), odd), "emr_schedule_job", os.path.join(os.getcwd(), "x")
    else:
        raise Refused("no flow was given", "Set emr_flow_file to the path of a flow file, or emr_flow to its text")
    for text in odd:
        Display().warning(f"{source}: {text}")
    flow = Flow(data, source, os.path.dirname(os.path.abspath(path)), lines)
    flow.take({str(key): str(value) for key, value in plain(args.get("parameters") or {}).items()})
    return flow


def packed(flow: Flow) -> bytes:
    """An archive of the files of the flow's jobs; nothing when they have none. Raises Refused for more than MAX_BYTES."""
    if not flow.files:
        return b""
    size = sum(os.path.getsize(path) for path in flow.files.values())
    if size > MAX_BYTES:
        raise Refused(f"the files of the flow have {size >> 20} MiB together, at most {MAX_BYTES >> 20} travel with it",
                      "Put large ones into HDFS (emrctl put) and name them as hdfs:///…")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as archive:
        for name, local in sorted(flow.files.items()):
            archive.add(local, name, recursive=False, filter=_plain_file)
    return out.getvalue()


def _plain_file(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
