"""Parameters of the API on which the local ECS does not act, and whose neglect would change what a call means."""
from __future__ import annotations

from .errors import ApiError
from .registry import Call

_FILTERS = frozenset({f"Filter.{n}.{part}" for n in range(1, 5) for part in ("Key", "Value")} | {"Filter"})
UNSUPPORTED = {
    "RunInstances": frozenset({
        "Arn", "Affinity", "CpuOptions.Core", "CpuOptions.Numa", "CpuOptions.ThreadsPerCore",
        "DedicatedHostId", "DeploymentSetId", "HibernationOptions.Configured", "HpcClusterId", "ImageFamily",
        "Ipv6Address", "Ipv6AddressCount", "LaunchTemplateId", "LaunchTemplateName", "LaunchTemplateVersion",
        "NetworkInterface", "Password", "PasswordInherit", "PrivatePoolOptions.Id",
        "SchedulerOptions.DedicatedHostClusterId", "StorageSetId", "Tenancy"}),
    "DescribeDisks": _FILTERS | {"AutoSnapshotPolicyId", "SnapshotId", "KMSKeyId", "LockReason", "MultiAttach"},
    "DescribeImages": frozenset({"Filter", "SnapshotId", "ImageFamily", "Usage"}),
    "DescribeInstanceTypes": frozenset({"GPUSpec", "GpuSpecs", "MinimumGPUAmount", "MaximumGPUAmount",
                                        "LocalStorageCategory", "LocalStorageCategories",
                                        "MinimumLocalStorageAmount", "MinimumLocalStorageCapacity",
                                        "PhysicalProcessorModel", "PhysicalProcessorModels"}),
    "DescribePrice": frozenset({"InstanceTypeList", "Capacity", "DedicatedHostType"}),
    "ModifyInstanceAttribute": frozenset({"HostName", "Password", "UserData", "CpuOptions.Core", "CpuOptions.ThreadsPerCore",
                                          "Recyclable", "CreditSpecification"}),
    "ModifyDiskAttribute": frozenset({"Description", "EnableAutoSnapshot", "DeleteAutoSnapshot", "BurstingEnabled"}),
    "AttachInstanceRamRole": frozenset({"Policy"}),
    "CreateVpc": frozenset({"UserCidr"}),
    "DeleteVpc": frozenset({"ForceDelete"}),
    "ListTagResources": frozenset({"TagFilter"}),
    "AuthorizeSecurityGroup": frozenset({"Ipv6SourceCidrIp", "Ipv6DestCidrIp", "SourcePrefixListId"}),
    "RevokeSecurityGroup": frozenset({"Ipv6SourceCidrIp", "Ipv6DestCidrIp", "SourcePrefixListId"}),
    "DescribeInstanceStatus": frozenset({"ClusterId"}),
    "StopInstance": frozenset({"Hibernate"}),
}


def refuse_unsupported(call: Call) -> None:
    """Raises ApiError OperationDenied.LocalNotSupported for a parameter that would be neglected."""
    for name in UNSUPPORTED.get(call.action, ()):
        if call.params.get(name) not in (None, "", False, []):
            raise ApiError("OperationDenied.LocalNotSupported", name)
