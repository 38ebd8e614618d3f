"""What the local ECS sells: regions, images, instance types, disks and a price list of its own.

Types have the names and shapes of the cloud. Prices are a local price list in CNY per hour, made from vCPUs, memory
and disk size; they are not the cloud's.
"""
from __future__ import annotations

from dataclasses import dataclass

REGIONS = {
    "cn-hangzhou": ("China (Hangzhou)", ("cn-hangzhou-h", "cn-hangzhou-i", "cn-hangzhou-j")),
    "cn-beijing": ("China (Beijing)", ("cn-beijing-h", "cn-beijing-k")),
    "cn-shanghai": ("China (Shanghai)", ("cn-shanghai-g", "cn-shanghai-l")),
    "cn-shenzhen": ("China (Shenzhen)", ("cn-shenzhen-e", "cn-shenzhen-f")),
    "cn-zhangjiakou": ("China (Zhangjiakou)", ("cn-zhangjiakou-a",)),
    "cn-chengdu": ("China (Chengdu)", ("cn-chengdu-a", "cn-chengdu-b")),
    "ap-southeast-1": ("Singapore", ("ap-southeast-1a", "ap-southeast-1b")),
    "eu-central-1": ("Germany (Frankfurt)", ("eu-central-1a", "eu-central-1b")),
}
DEFAULT_REGION = "cn-hangzhou"
DEFAULT_ZONE = "cn-hangzhou-h"
IMAGE_ID = "debian_12_x64_20G_emr_local.vhd"
CURRENCY = "CNY"


@dataclass(frozen=True)
class Image:
    """One image as DescribeImages tells of it. ``system`` names the hosts' system (emrctl/local/image.py); without one the
    image is only listed, since nothing here can boot it."""

    image_id: str
    os_name: str
    platform: str
    system: str = ""
    description: str = ""
    os_type: str = "linux"
    architecture: str = "x86_64"
    # The default image is the newest, as that of a cloud would be.
    created: str = "2025-01-01T00:00:00Z"


IMAGES = {row.image_id: row for row in (
    Image(IMAGE_ID, "Debian 12 64 bit", "Debian", "debian-12", "Debian 12 of the local hosts", created="2026-01-01T00:00:00Z"),
    Image("debian_11_x64_20G_emr_local.vhd", "Debian 11 64 bit", "Debian", "debian-11", "Debian 11, Java 17"),
    Image("debian_13_x64_20G_emr_local.vhd", "Debian 13 64 bit", "Debian", "debian-13", "Debian 13, Java 21"),
    Image("debian_12_x64_20G_emr_local_nojava.vhd", "Debian 12 64 bit", "Debian", "debian-12-nojava",
          "Debian 12 without Java; its apt can install it"),
    # README's example works here, too.
    Image("debian_12_6_x64_20G_alibase_20240819.vhd", "Debian 12.6 64 bit", "Debian", "debian-12-nojava",
          "As the cloud's own: Debian 12 without Java", created="2024-08-19T00:00:00Z"),
    Image("debian_12_x64_20G_emr_local_nopython.vhd", "Debian 12 64 bit", "Debian", "debian-12-nopython",
          "Debian 12 without Python and Java; its apt can install them"),
    Image("debian_12_x64_20G_emr_local_hardened.vhd", "Debian 12 64 bit", "Debian", "debian-12-hardened",
          "The default image with umask 077 for root and for sessions of SSH"),
    Image("debian_12_arm64_20G_emr_local.vhd", "Debian 12 64 bit for ARM", "Debian", architecture="arm64",
          description="Only listed"),
    Image("win2022_21H2_x64_dtc_en-us_40G_emr_local.vhd", "Windows Server 2022 Datacenter 64-bit (English)",
          "Windows Server 2022", os_type="windows", description="Only listed"),
    Image("centos_7_9_x64_20G_emr_local.vhd", "CentOS 7.9 64 bit", "CentOS", description="Only listed"),
)}
# Category -> (least GiB, most GiB, CNY per GiB and hour)
DISKS = {
    "cloud_efficiency": (20, 32768, 0.00048),
    "cloud_ssd": (20, 32768, 0.0014),
    "cloud_essd": (1, 65536, 0.0021),
    "cloud_auto": (1, 65536, 0.0016),
}
_SIZES = {"large": 2, "xlarge": 4, "2xlarge": 8, "3xlarge": 12, "4xlarge": 16, "6xlarge": 24, "8xlarge": 32,
          "16xlarge": 64}
_FAMILIES = {"ecs.c6": 2, "ecs.g6": 4, "ecs.r6": 8, "ecs.c7": 2, "ecs.g7": 4, "ecs.r7": 8}
# CNY per vCPU and per GiB and hour, by generation
_RATES = {"6": (0.103, 0.046), "7": (0.109, 0.049), "t": (0.05, 0.03), "d": (0.12, 0.05)}


@dataclass(frozen=True)
class InstanceType:
    """One instance type. ``memory_mib`` as DescribeInstances counts it; prices in CNY per hour."""

    name: str
    family: str
    vcpus: int
    memory_mib: int
    local_disks: int = 0
    local_disk_gib: int = 0
    # As DescribeInstanceTypes has it: X86 or ARM. Nothing here boots on the latter.
    architecture: str = "X86"

    @property
    def price(self) -> float:
        """Local price list, CNY per hour, without disks."""
        generation = {"ecs.t6": "t", "ecs.d2s": "d", "ecs.g8y": "7"}.get(self.family, self.family[-1])
        per_cpu, per_gib = _RATES[generation]
        disks = self.local_disks * self.local_disk_gib * 0.00002
        return round(self.vcpus * per_cpu + self.memory_mib / 1024 * per_gib + disks, 4)


def _all_types() -> dict:
    rows = [InstanceType("ecs.t6-c4m1.large", "ecs.t6", 2, 512), InstanceType("ecs.t6-c2m1.large", "ecs.t6", 2, 1024),
            InstanceType("ecs.t6-c1m1.large", "ecs.t6", 2, 2048), InstanceType("ecs.t6-c1m2.large", "ecs.t6", 2, 4096),
            InstanceType("ecs.t6-c1m4.large", "ecs.t6", 2, 8192)]
    for family, ratio in _FAMILIES.items():
        rows += [InstanceType(f"{family}.{size}", family, n, n * ratio * 1024) for size, n in _SIZES.items()]
    rows += [InstanceType("ecs.d2s.5xlarge", "ecs.d2s", 20, 88 * 1024, 8, 7300),
             InstanceType("ecs.d2s.10xlarge", "ecs.d2s", 40, 176 * 1024, 15, 7300),
             InstanceType("ecs.g8y.large", "ecs.g8y", 2, 8 * 1024, architecture="ARM")]
    return {row.name: row for row in rows}


TYPES = _all_types()


def vswitch_id(zone: str) -> str:
    """Id of the vSwitch that every zone has from the start."""
    return f"vsw-local-{zone}"


def vpc_id(region: str) -> str:
    """Id of the VPC that every region has from the start."""
    return f"vpc-local-{region}"


def disk_price(category: str, size_gib: int) -> float:
    """Local price list for a disk, CNY per hour. Raises KeyError for an unknown category."""
    return DISKS[category][2] * size_gib
