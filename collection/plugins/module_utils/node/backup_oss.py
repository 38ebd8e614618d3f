"""Copies of the NameNode's metadata in OSS, by Hadoop's own client. Runs on Python 3.8 and newer.

On the node this is /opt/emr/libexec/emr_backup_oss.py beside the program emr-backup, so it imports nothing of the project.

Credentials: those of the instance's RAM role, which its metadata service gives for some hours; without a role the credential
provider file /etc/emr/backup/secret/oss.jceks. They reach Hadoop in a configuration folder that only the user hdfs may enter and that
is deleted with the last command: never on a command line, and in no log.
"""
from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from xml.sax.saxutils import escape

HADOOP = "/opt/emr/hadoop/bin/hadoop"
METADATA = "http://100.100.100.200/latest"
PROVIDER = "/etc/emr/backup/secret/oss.jceks"
LIMIT_S = 1800
COPY = re.compile(r"\d{8}T\d{6}Z-\d+")


class OssError(Exception):
    """OSS could not be used, or what lies there is not what was put; the message is for people."""


def role_credentials(base=METADATA):
    """{id, secret, token} of the instance's RAM role, or None when it has none."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(path, method="GET", **headers):
        request = urllib.request.Request(base + path, method=method, headers=headers)
        with opener.open(request, timeout=5) as answer:
            return answer.read().decode()

    try:
        headers = {}
        try:
            headers["X-aliyun-ecs-metadata-token"] = ask("/api/token", "PUT", **{
                "X-aliyun-ecs-metadata-token-ttl-seconds": "300"})
        except (OSError, ValueError):
            pass  # an instance that takes requests without a token only
        role = ask("/meta-data/ram/security-credentials/", **headers).strip().splitlines()
        if not role:
            return None
        found = json.loads(ask("/meta-data/ram/security-credentials/" + role[0], **headers))
        return {"id": found["AccessKeyId"], "secret": found["AccessKeySecret"], "token": found["SecurityToken"]}
    except (OSError, ValueError, KeyError):
        return None


class Oss:
    """The folder of one cluster in a bucket. A context manager: credentials exist between its beginning and end."""

    def __init__(self, config, java_home):
        self.config, self.java_home = config, java_home
        self.base = f"{config['oss'].rstrip('/')}/{config['cluster']}-{config['cluster_id']}"
        self.folder = ""

    def __enter__(self):
        role = role_credentials()
        if not role and not os.access(PROVIDER, os.R_OK):
            raise OssError(f"this node has no credentials for OSS: give its instance a RAM role, or make {PROVIDER} (see "
                           "docs/backup.md)")
        self.folder = tempfile.mkdtemp(dir=self.config["root"], prefix=".oss-")
        settings = {"fs.oss.impl": "org.apache.hadoop.fs.aliyun.oss.AliyunOSSFileSystem", "fs.defaultFS": "file:///",
                    "fs.oss.endpoint": self.config["oss_endpoint"], "hadoop.tmp.dir": self.folder + "/tmp"}
        if role:
            settings.update({"fs.oss.accessKeyId": role["id"], "fs.oss.accessKeySecret": role["secret"],
                             "fs.oss.securityToken": role["token"]})
        else:
            settings["hadoop.security.credential.provider.path"] = "localjceks://file" + PROVIDER
        rows = "".join(f"<property><name>{key}</name><value>{escape(value)}</value></property>" for key, value in settings.items())
        with open(os.open(self.folder + "/core-site.xml", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w",
                  encoding="utf-8") as out:
            out.write(f"<configuration>{rows}</configuration>")
        shutil.copy("/etc/emr/backup/log4j.properties", self.folder)
        return self

    def __exit__(self, *_error):
        shutil.rmtree(self.folder, ignore_errors=True)

    def _fs(self, *args, out=subprocess.PIPE, check=True):
        """One command of `hadoop fs`; (exit code, stdout as bytes). Raises OssError when it fails and ``check``."""
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "JAVA_HOME": self.java_home,
               "HADOOP_CONF_DIR": self.folder, "HADOOP_ROOT_LOGGER": "ERROR,console", "HADOOP_LOG_DIR": self.folder,
               # the OSS client cannot read an error, a passing one neither, while Java 17 keeps this closed (config.CLIENT_FLAGS)
               "HADOOP_CLIENT_OPTS": "-Xmx256m --add-opens=java.base/java.lang=ALL-UNNAMED"}
        try:
            done = subprocess.run([HADOOP, "fs", *args], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE,
                                  timeout=LIMIT_S, cwd="/", check=False)
        except subprocess.TimeoutExpired:
            raise OssError(f"hadoop fs {args[0]} {self.base} did not end within {LIMIT_S} s")
        if check and done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()[-2:]
            raise OssError(f"hadoop fs {args[0]} {self.base} failed: " + " ".join(said))
        return done.returncode, done.stdout

    def ids(self):
        """Ids of the complete copies in OSS, oldest first."""
        code, out = self._fs("-ls", "-C", self.base + "/*/backup.json", check=False)
        names = [line.rsplit("/", 2)[-2] for line in (out or b"").decode().splitlines() if line.count("/") > 2] if not code else []
        return sorted(name for name in names if COPY.fullmatch(name))

    def put(self, folder, record, keep):
        """Put a copy there, read its image back, and only then let it count; forget copies that are too many."""
        target = f"{self.base}/{record['id']}"
        files = [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name != "backup.json"]
        self._fs("-mkdir", "-p", target)
        self._fs("-put", "-f", *files, target + "/")
        image = next(name for name in record["files"] if re.fullmatch(r"fsimage_\d+", name))
        found = self._md5(f"{target}/{image}")
        if found != record["md5"]:
            raise OssError(f"{target}/{image} came back with the MD5 {found}, put was {record['md5']}")
        self._fs("-put", "-f", os.path.join(folder, "backup.json"), target + "/")
        for name in self.ids()[:-keep]:
            self._fs("-rm", "-r", "-skipTrash", f"{self.base}/{name}", check=False)

    def _md5(self, path):
        with tempfile.TemporaryFile(dir=self.folder) as out:
            self._fs("-cat", path, out=out)
            out.seek(0)
            digest = hashlib.md5()
            for block in iter(lambda: out.read(1 << 20), b""):
                digest.update(block)
        return digest.hexdigest()

    def get(self, name, folder):
        """Fetch the files of a copy into a new folder."""
        os.makedirs(folder, mode=0o700)
        self._fs("-get", f"{self.base}/{name}/*", folder)
