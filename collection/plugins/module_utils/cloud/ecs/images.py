"""Images: whether nodes can be made of one, and which public ones are to be had. Read-only.

What an image says of itself is its type of system, its name and its architecture. A name that says nothing ("Customized
Linux") is let through: the first step on the node has the last word.
"""
from __future__ import annotations

import re

from ...domain.errors import Refused
from ...domain.install import systems
from ...domain.install.releases import release
from ...services.registry import homes
from .client import EcsClient

# Newest first of what is known to work best, as names of images and systems have it.
_PREFERRED = (r"debian\D*12\b|debian_12", r"debian\D*13\b|debian_13", r"ubuntu\D*24.04|ubuntu_24", r"ubuntu\D*22.04|ubuntu_22")


def newest(client: EcsClient) -> list:
    """The newest public image of each system that is known to work, the best first."""
    rows = [i for i in client.items("DescribeImages", ImageOwnerAlias="system", OSType="linux", Architecture="x86_64",
                                    Status="Available") if i.get("IsSupportCloudinit", True)]
    found = []
    for system in _PREFERRED:
        fits = [i for i in rows if re.search(system, f"{i.get('OSName', '')} {i['ImageId']}".lower())]
        if fits:
            found.append(max(fits, key=lambda i: (i.get("CreationTime", ""), i["ImageId"])))
    return found


def find_image(client: EcsClient) -> dict:
    """The newest public Debian 12 image, else Debian 13 or Ubuntu 24.04 and 22.04, x86_64. Raises Refused."""
    found = newest(client)
    if not found:
        raise Refused(f"No public image of Debian or Ubuntu is offered in {client.region}", "Name one with --image")
    return found[0]


def check_image(client: EcsClient, spec) -> tuple:
    """(what the image is, as {id, system, architecture}; warnings). Raises Refused: nodes cannot be made of it."""
    image = next((i for i in client.items("DescribeImages", ImageId=spec.image) if i["ImageId"] == spec.image), None)
    if image is None:
        raise Refused(f"image: {spec.image} does not exist in {spec.region}", f"Ids differ from region to region. {_instead(client)}")
    name = " ".join((image.get("OSName") or image.get("OSNameEn") or image.get("Platform") or "").split())
    architecture, wanted = image.get("Architecture") or "", release(spec.release).architecture
    if image.get("OSType", "linux") != "linux":
        raise Refused(f"image: {spec.image} is {name or image['OSType']}, and nodes run Linux", _instead(client))
    if architecture and architecture != wanted:
        raise Refused(f"image: {spec.image} ({name}) is for {architecture}, and the release {spec.release} for {wanted}", _instead(client))
    if image.get("Status", "Available") != "Available":
        raise Refused(f"image: {spec.image} is {image['Status']}", "Wait until it is Available, or take another one")
    warnings = []
    against = systems.unusable(f"{image.get('Platform', '')} {name}")
    if against and image.get("ImageOwnerAlias") == "system":
        raise Refused(f"image: {spec.image} is {name}, which is known not to work: {against}", _instead(client))
    if against:
        # Somebody's own image may have what its system lacks.
        warnings.append(f"image {spec.image} is {name}, which has a known limit: {against}. It works only if the image already has both")
    for group_name, group in spec.node_groups.items():
        if group.system_disk.size_gib < int(image.get("Size") or 0):
            raise Refused(f"node_groups.{group_name}.system_disk.size_gib: {group.system_disk.size_gib} is smaller than the "
                          f"image, which has {image['Size']} GiB", f"Write at least {image['Size']}")
    old = systems.old_python(name)
    for least, who, what in (home.python for home in homes(spec.expanded_services) if old and home.python):
        warnings.append(f"image {spec.image} has Python {old}, and {who} needs {'.'.join(map(str, least))}: {what}")
    return {"id": spec.image, "system": name, "architecture": architecture}, warnings


def _instead(client: EcsClient) -> str:
    """The next step: images that work."""
    names = [i["ImageId"] for i in newest(client)][:3]
    return f"Write one that works, such as {', '.join(names)}" if names else "Take a Linux image that has Python and Java"


def check_architecture(spec, instance_type: str, of_type: str) -> str:
    """What is wrong with the processor of a type (CpuArchitecture: X86 or ARM); '' when nothing is."""
    wanted = release(spec.release).architecture
    if of_type.upper() == "ARM" and wanted == "x86_64":
        return f"{instance_type} has processors of the kind {of_type}, and the release {spec.release} is for {wanted}"
    return ""
