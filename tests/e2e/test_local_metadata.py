"""What a real host of the local ECS finds as a node of the cloud does: its metadata, its role, its disks; and its end."""
from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace

import pytest

from emrctl.local import offers
from tests.integration.ecs_calls import Ecs, wait_for
from tests.lab import lab

pytestmark = pytest.mark.e2e
META = "http://100.100.100.200/latest/meta-data"


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A small spot instance with a role and a data disk: its client, id, disk's serial and ``ssh(command)``."""
    with lab(tmp_path_factory.mktemp("meta"), "e2em", 173, 7973) as bed:
        local = SimpleNamespace(
            endpoint=bed.env["ALIBABA_CLOUD_ECS_ENDPOINT"], access_key_id=bed.env["ALIBABA_CLOUD_ACCESS_KEY_ID"],
            access_key_secret=bed.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"], region=offers.DEFAULT_REGION,
            image=offers.IMAGE_ID, vswitch=offers.vswitch_id(offers.DEFAULT_ZONE))
        ecs, key = Ecs(local), bed.folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        ecs.call("ImportKeyPair", KeyPairName="login", PublicKeyBody=key.with_suffix(".pub").read_text().strip())
        group = ecs.group()
        ecs.call("AuthorizeSecurityGroup", SecurityGroupId=group, IpProtocol="tcp", PortRange="22/22",
                 SourceCidrIp=f"{bed.gateway}/32")
        (one,) = ecs.run(group, InstanceType="ecs.t6-c2m1.large", KeyPairName="login", HostName="meta-task-001",
                         RamRoleName="node", SpotStrategy="SpotAsPriceGo", DataDisk_1_Size=1,
                         DataDisk_1_Category="cloud_essd")
        (row,) = wait_for(lambda: ecs.instances(Status="Running"), 60)
        address = row["VpcAttributes"]["PrivateIpAddress"]["IpAddress"][0]

        def ssh(command):
            """(exit code, output) of a command on the host."""
            ran = subprocess.run(["ssh", "-i", str(key), "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR", "-o",
                                  "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=5", f"root@{address}", command],
                                 capture_output=True, text=True, timeout=60, check=False)
            return ran.returncode, (ran.stdout + ran.stderr).strip()
        wait_for(lambda: ssh("true")[0] == 0, 60)
        serial = ecs.call("DescribeDisks", InstanceId=one, DiskType="data")["Disks"]["Disk"][0]["SerialNumber"]
        yield SimpleNamespace(ecs=ecs, id=one, ssh=ssh, serial=serial, local=local, bed=bed, address=address)


def test_metadata_inside_the_host(node):
    assert node.ssh(f"curl -sf {META}/instance-id") == (0, node.id)
    assert node.ssh(f"curl -sf {META}/private-ipv4") == (0, node.address)
    assert node.ssh(f"curl -s -o /dev/null -w %{{http_code}} {META}/instance/spot/termination-time") == (0, "404")
    token = "$(curl -sf -X PUT -H 'X-aliyun-ecs-metadata-token-ttl-seconds: 60' http://100.100.100.200/latest/api/token)"
    code, text = node.ssh(f'curl -sf -H "X-aliyun-ecs-metadata-token: {token}" {META}/ram/security-credentials/node')
    assert code == 0
    role = Ecs(node.local, temporary=json.loads(text))
    assert role.call("GetCallerIdentity")["Arn"].endswith(f"assumed-role/node/{node.id}")
    # any other port of that address is refused at once, inside the host's own namespace
    assert node.ssh("curl -s -m 5 http://100.100.100.200:8080/")[0] == 7


def test_data_disk_is_found_by_its_serial(node):
    assert node.ssh(f"blockdev --getsize64 /dev/disk/by-id/virtio-{node.serial}") == (0, str(1 << 30))


def test_host_that_ends_is_stopped_and_spot_notice_releases_it(node):
    node.ssh("systemctl poweroff")
    wait_for(lambda: node.ecs.instances(Status="Stopped"), 60)
    node.ecs.call("StartInstances", InstanceId_1=node.id)
    wait_for(lambda: node.ecs.instances(Status="Running") and node.ssh("true")[0] == 0, 60)
    node.bed.local("fault", f'spot_notice=["{node.id}"]', "spot_notice_seconds=20")
    wait_for(lambda: node.ssh(f"curl -sf {META}/instance/spot/termination-time")[1].endswith("Z"), 15)
    wait_for(lambda: node.ecs.instances() == [], 60)
