"""Operating systems of nodes: which are known not to work, and how Python and Java get there.

The one place with names of packages. What runs on a node before it has a usable Python is plain sh, made here; the same
script installs Java later. Nothing here touches a machine.
"""
from __future__ import annotations

import re
import shlex
from collections import namedtuple

from .. import paths

# What our own programs need, and what PySpark of the releases needs.
LEAST_PYTHON, SPARK_PYTHON = (3, 8), (3, 10)
# Hadoop and Spark of the releases are tested on these; Java 24 took away what Hadoop builds on (JEP 486).
LEAST_JAVA, MOST_JAVA = 17, 21
# Interpreters to look for, the system's own first: its name outlives an upgrade. EL8's platform-python (3.6) is none of them.
INTERPRETERS = ("/usr/bin/python3", *(f"/usr/bin/python3.{minor}" for minor in range(13, 7, -1)),
                *(f"/usr/local/bin/python3{dot}" for dot in ("", *(f".{minor}" for minor in range(13, 7, -1)))))
# Parts of the standard library that minimal packages leave out.
_PARTS = ("ctypes", "http.server", "json", "multiprocessing", "zipfile")
_PROBE = (f"import sys; from importlib.util import find_spec; "
          f"print(*sys.version_info[:2]) if all(map(find_spec, {_PARTS!r})) else sys.exit(1)")
MARK = "emr-system:"

# ``python`` and ``java``: packages in order of preference, of which the first that is offered is installed.
Family = namedtuple("Family", "name python java")
_JAVA_RPM = ("java-17-openjdk-headless", "java-21-openjdk-headless")
DEBIAN = Family("debian", ("python3",), ("openjdk-17-jre-headless", "openjdk-21-jre-headless"))
REDHAT = Family("redhat", ("python3.11", "python3.12", "python39", "python38", "python3"), _JAVA_RPM)
# Of RHEL's kin; Dragonwell is its own build of OpenJDK.
ALINUX = Family("alinux", ("python3.11", "python38", "python3"), (
    "java-17-openjdk-headless", "java-17-alibaba-dragonwell-headless", "java-17-alibaba-dragonwell", *_JAVA_RPM[1:],
    "java-21-alibaba-dragonwell-headless", "java-21-alibaba-dragonwell"))
# ID and ID_LIKE of /etc/os-release.
_FAMILIES = {"debian": DEBIAN, "ubuntu": DEBIAN, "alinux": ALINUX, "anolis": ALINUX,
             **dict.fromkeys(("rhel", "centos", "rocky", "almalinux", "fedora", "ol"), REDHAT)}
# For a system whose name says nothing.
_BY_TOOL = {"apt-get": DEBIAN, "dnf": REDHAT, "yum": REDHAT}

# Names as DescribeImages has them: the first version that may work, and what is missing before.
_OLD = "neither Python 3.8 nor Java 17 can be installed there"
_VERSIONS = (("alibaba cloud linux", 3, _OLD), ("aliyun linux", 18, _OLD), ("centos", 8, _OLD), ("debian", 11, _OLD),
             ("red hat enterprise linux", 8, _OLD), ("ubuntu", 20, _OLD))
_FOREIGN = {"suse": "its package manager, zypper, is not known here", "freebsd": "it has no systemd",
            "coreos": "its system cannot be written to", "containeros": "its system cannot be written to",
            "gentoo": "its package manager is not known here", "windows": "nodes run Linux"}


def read_os_release(text):
    """The fields of /etc/os-release (os-release(5): assignments as a shell reads them)."""
    fields = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
            try:
                words = shlex.split(value)
            except ValueError:
                continue
            fields[name] = words[0] if words else ""
    return fields


def family(os_release, tools=()):
    """The family of a system, by its fields and the package managers that it has; None when nothing is known of it."""
    for word in [os_release.get("ID", "")] + os_release.get("ID_LIKE", "").split():
        if word in _FAMILIES:
            return _FAMILIES[word]
    return next((_BY_TOOL[tool] for tool in tools if tool in _BY_TOOL), None)


def unusable(name):
    """Why a system of this name (OSName of ECS) is known not to work; '' when nothing is known against it."""
    text = " ".join(name.lower().split())
    for word, reason in _FOREIGN.items():
        if word in text:
            return reason
    for system, least, reason in _VERSIONS:
        found = re.search(rf"\b{system}\s+(?:stream\s+)?(\d+)", text)
        if found and int(found.group(1)) < least:
            return reason
    return ""


def old_python(name):
    """The newest Python that a system of this name can have, as text, where that is less than PySpark needs; else ''."""
    return "3.9" if re.search(r"\bdebian\s+11\b", " ".join(name.lower().split())) else (
        "3.8" if re.search(r"\bubuntu\s+20\b", " ".join(name.lower().split())) else "")


def find_script(first="", link=True):
    """sh: find the best Python of this node, and ``link`` it to paths.PYTHON. Answers with lines that ``read_answer`` understands.

    ``first``: an interpreter that goes before all others. The first one that PySpark can use is taken, else the first that
    our own programs can use.
    """
    names = " ".join(shlex.quote(path) for path in dict.fromkeys([*filter(None, [first]), *INTERPRETERS]))
    return f"""umask 022
best=; found=
for p in {names}; do
  [ -x "$p" ] && v=$("$p" -I -S -c {shlex.quote(_PROBE)} 2>/dev/null) || continue
  minor=${{v#3 }}
  [ "$minor" != "$v" ] && [ "$minor" -ge {LEAST_PYTHON[1]} ] || continue
  [ -n "$best" ] || best=$p found=$v
  [ "$minor" -ge {SPARK_PYTHON[1]} ] && best=$p found=$v && break
done
if [ -n "$best" ] && [ {int(link)} = 1 ]; then
  d={shlex.quote(paths.PYTHON.rpartition('/')[0])}
  mkdir -p "$d" && chmod 755 "${{d%/*}}" "$d" && ln -sfn "$best" {paths.PYTHON}.new && mv -fT {paths.PYTHON}.new {paths.PYTHON} || exit 1
fi
echo "{MARK} python $best $found"
[ -z "${{found#3 [0-9]}}" ] || exit 0
for t in apt-get dnf yum; do command -v $t >/dev/null && echo "{MARK} tool $t"; done
sed 's/^/{MARK} release /' /etc/os-release 2>/dev/null || sed 's/^/{MARK} release /' /usr/lib/os-release
exit 0
"""


def read_answer(text):
    """What ``find_script`` said: {python (path or ''), version ((3, 11) or ()), tools, release (fields)}; None when it did not end."""
    rows = [line.strip()[len(MARK):].split(None, 1) for line in text.splitlines() if line.strip().startswith(MARK)]
    by_kind = {}
    for row in rows:
        by_kind.setdefault(row[0], []).append(row[1] if len(row) > 1 else "")
    if "python" not in by_kind:
        return None
    words = by_kind["python"][-1].split()
    return {"python": words[0] if words else "", "version": tuple(int(w) for w in words[1:]),
            "tools": by_kind.get("tool", []), "release": read_os_release("\n".join(by_kind.get("release", [])))}


def wants_python(answer):
    """The packages, of which one is to be installed, to make the Python of this node better; () when it is good or cannot be."""
    if answer["version"] >= SPARK_PYTHON:
        return ()
    kin = family(answer["release"], answer["tools"])
    if kin is None or not answer["tools"]:
        return ()
    # Debian and Ubuntu have one Python: where it is there, it cannot be better.
    if answer["version"] >= LEAST_PYTHON and kin is DEBIAN:
        return ()
    return kin.python


def install_script(packages):
    """sh: install the first of these packages that the node's package manager offers. Says which in a line ``emr-system: installed NAME``.

    A new instance's own set-up may hold the locks for a while: they are waited for, five minutes at most.
    """
    names = " ".join(shlex.quote(name) for name in packages)
    return f"""umask 022
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C
if command -v apt-get >/dev/null; then
  n=0
  until out=$(apt-get -qq update 2>&1) || [ $n -ge 100 ]; do
    case $out in *[Ll]ock*) n=$((n+1)); sleep 3 ;; *) break ;; esac
  done
  [ -z "$out" ] || echo "$out" >&2
  for p in {names}; do
    apt-cache show "$p" >/dev/null 2>&1 || continue
    apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 install "$p" >&2 || exit 1
    echo "{MARK} installed $p"; exit 0
  done
elif t=$(command -v dnf || command -v yum); then
  for p in {names}; do
    "$t" -q -y install "$p" >&2 || continue
    echo "{MARK} installed $p"; exit 0
  done
else
  echo "there is no apt-get, dnf or yum" >&2; exit 1
fi
echo "none of these packages is offered: {names}" >&2
exit 1
"""
