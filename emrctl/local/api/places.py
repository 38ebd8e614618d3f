"""Regions, zones, images and the account."""
from __future__ import annotations

from .. import offers
from .errors import ApiError
from .networks import find_vswitch
from .registry import Call, action, page


@action("DescribeRegions")
def describe_regions(call: Call) -> dict:
    """All regions; the endpoint of each is this server."""
    return {"Regions": {"Region": [
        {"RegionId": region, "LocalName": name, "RegionEndpoint": call.cloud.endpoint, "Status": "available"}
        for region, (name, _) in offers.REGIONS.items()]}}


@action("DescribeZones")
def describe_zones(call: Call) -> dict:
    """Zones of the region."""
    types = [] if call.get("Verbose") is False else sorted(offers.TYPES)
    return {"Zones": {"Zone": [
        {"ZoneId": zone, "LocalName": zone, "ZoneType": "AvailabilityZone",
         "AvailableResourceCreation": {"ResourceTypes": ["VSwitch", "Instance", "Disk"]},
         "AvailableInstanceTypes": {"InstanceTypes": types},
         "AvailableDiskCategories": {"DiskCategories": list(offers.DISKS)}}
        for zone in offers.REGIONS[call.region][1]]}}


@action("DescribeImages", empty_when_denied=True)
def describe_images(call: Call) -> dict:
    """The images that local hosts boot, and some that are only listed."""
    call.dry_run()
    used = {i["image"] for i in call.tx.all("instance")}
    wanted = {"ImageName": "ImageName", "OSType": "OSType", "Architecture": "Architecture",
              "ImageOwnerAlias": "ImageOwnerAlias", "Status": "Status"}
    ids = (call.get("ImageId") or ",".join(offers.IMAGES)).split(",")
    rows = [_image(image, number, image.image_id in used) for number, image in enumerate(offers.IMAGES.values())
            if image.image_id in ids]
    hits = [row for row in rows if all(call.get(p, row[f]) == row[f] for p, f in wanted.items())]
    items, paging = page(call, hits if not call.get("Tag") else [], 10, 100)
    return {"RegionId": call.region, "Images": {"Image": [{k: v for k, v in i.items() if k != "seq"} for i in items]},
            **paging}


def _image(image: offers.Image, number: int, used: bool) -> dict:
    return {"ImageId": image.image_id, "ImageName": image.image_id, "ImageOwnerAlias": "system", "Size": 20,
            "Description": image.description, "OSType": image.os_type, "Platform": image.platform,
            "OSName": image.os_name, "OSNameEn": image.os_name, "Architecture": image.architecture,
            "Status": "Available", "IsSupportCloudinit": True, "IsSupportIoOptimized": True, "Progress": "100%",
            "Usage": "instance" if used else "none", "ImageVersion": "", "ImageFamily": "",
            "CreationTime": image.created, "IsSelfShared": "", "IsCopied": False, "IsSubscribed": False,
            "ProductCode": "", "ResourceGroupId": "", "Tags": {"Tag": []},
            "DiskDeviceMappings": {"DiskDeviceMapping": [
                {"Device": "/dev/xvda", "Type": "system", "Size": "20", "SnapshotId": "", "Format": "", "Progress": "",
                 "ImportOSSBucket": "", "ImportOSSObject": ""}]}, "seq": number}


@action("DescribeAccountAttributes")
def describe_account_attributes(call: Call) -> dict:
    """Quotas of the account, as far as the local ECS has them."""
    quota = call.cloud.faults.value("quota")
    values = {"instance-network-type": "vpc", "max-security-groups": "100",
              "max-postpaid-instance-vcpu-count": str(quota * 2 if quota else 1000)}
    wanted = call.get("AttributeName") or list(values)
    return {"AccountAttributeItems": {"AccountAttributeItem": [
        {"AttributeName": name, "AttributeValues": {"ValueItem": [{"Value": values[name]}]}}
        for name in wanted if name in values]}}


def zone_for(call: Call) -> str:
    """Zone of RunInstances: that of the vSwitch, which must agree with ZoneId. Raises ApiError."""
    vswitch = call.get("VSwitchId")
    if not vswitch:
        raise ApiError("MissingParameter", "VSwitchId")
    zone = find_vswitch(call, vswitch)["zone"]
    asked = call.get("ZoneId", zone)
    if asked not in offers.REGIONS[call.region][1]:
        raise ApiError("InvalidZoneId.NotFound")
    if asked != zone:
        raise ApiError("InvalidParameter.Conflict", "ZoneId and VSwitchId")
    return zone
