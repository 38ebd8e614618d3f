"""Errors as the ECS API answers them: a code that clients match on, an HTTP status and a sentence for people."""
from __future__ import annotations

# code -> (HTTP status, message). Messages may hold {placeholders} filled by ``ApiError(code, name=value)``.
CODES = {
    "Account.Arrearage": (403, "Your account has an outstanding payment."),
    "AuthenticationFail.OIDCToken.Expired": (400, "This JWT has expired."),
    "AuthenticationFail.OIDCToken.Invalid": (400, "This JWT is invalid."),
    "DependencyViolation": (403, "There is still instance(s) in the specified security group."),
    "DryRunOperation": (400, "Request validation has been passed with DryRun flag set."),
    "Duplicate.TagKey": (400, "The Tag.N.Key contain duplicate key."),
    "Forbidden.RAM": (403, ("User not authorized to operate on the specified resource, or this API doesn't support "
                           "RAM. AuthAction: {name}")),
    "IdempotentParameterMismatch": (400, ("The specified ClientToken has been used with different request "
                                         "parameters.")),
    "IncompleteSignature": (400, "The request signature does not conform to Alibaba Cloud standards."),
    "IncorrectInstanceStatus": (403, "The current status of the resource does not support this operation."),
    "InsufficientBalance": (403, "Your account does not have enough balance."),
    "InternalError": (500, "The request processing has failed due to some unknown error, exception or failure."),
    "InvalidAccessKeyId.NotFound": (404, "Specified access key is not found."),
    "IncorrectInstanceStatus.Initializing": (403, "The specified instance status does not support this operation."),
    "InstanceDiskNumLimitExceed": (403, "The number of specified disk in an instance exceeds."),
    "InvalidAction.NotFound": (404, "Specified api is not found, please check your url and method."),
    "InvalidDataDiskCategory.ValueNotSupported": (400, "The specified parameter \"DataDisk.n.Category\" is not valid."),
    "InvalidDataDiskSize.ValueNotSupported": (400, "The specified DataDisk.n.Size is beyond the permitted range."),
    "InvalidDiskId.NotFound": (404, "The specified DiskId does not exist."),
    "InvalidHostName.Malformed": (400, "The specified parameter \"HostName\" is not valid."),
    "InvalidAutoReleaseTime.Malformed": (400, "The specified parameter \"AutoReleaseTime\" is not valid."),
    "InvalidChargeType.ValueNotSupported": (403, ("Deletion protection is only valid for postPaid instance, not for "
                                                  "prePaid or spot instance.")),
    "ImageNotSupportInstanceType": (403, "The specified image does not support the specified instance type."),
    "InvalidImageId.NotFound": (404, "The specified ImageId does not exist."),
    "InvalidInstanceId.NotFound": (404, "The specified InstanceId does not exist."),
    "InvalidInstanceIds.Malformed": (400, ("The amount of specified instance Ids exceeds the limit, or they are not a "
                                          "JSON array.")),
    "InvalidInstanceName.Malformed": (400, "The specified parameter \"InstanceName\" is not valid."),
    "InvalidInstanceType.ValueNotSupported": (400, ("The specified InstanceType does not exist or beyond the permitted "
                                                   "range.")),
    "InvalidInternetMaxBandwidthOut.Malformed": (400, "The specified parameter InternetMaxBandwidthOut is not valid."),
    "InvalidKeyPairName.Malformed": (400, "The specified Key Pair name is not valid."),
    "InvalidKeyPairName.NotFound": (404, "The specified KeyPairName does not exist."),
    "InvalidKeyPairNames.ValueNotSupported": (400, "The specified parameter \"KeyPairNames\" is not valid."),
    "InvalidNextToken": (400, "The specified NextToken is not valid."),
    "InvalidOperation.DeletionProtection": (403, "The operation is not allowed due to deletion protection."),
    "InvalidOperation.RamRoleAttached": (403, "The specified instance has a RAM role already."),
    "InvalidParameter": (400, "The specified parameter \"{name}\" is not valid."),
    "InvalidParameter.Conflict": (400, "The parameters {name} conflict with each other."),
    "InvalidParameter.KeypairAlreadyAttachedInstance": (400, ("The specified parameter \"KeyPairNames\" attached to "
                                                              "instances can not be deleted.")),
    "InvalidParameter.DurationSeconds": (400, "The Min/Max value of DurationSeconds is 15min/12hr."),
    "InvalidParameter.OIDCProviderArn": (400, "The parameter OIDCProviderArn is wrongly formed."),
    "InvalidParameter.RoleArn": (400, "The parameter RoleArn is wrongly formed."),
    "InvalidParameter.RoleSessionName": (400, "The parameter RoleSessionName is wrongly formed."),
    "InvalidPrivateIpAddress.Duplicated": (400, "The specified private IP address \"{name}\" is duplicated."),
    "InvalidPublicKeyBody.Malformed": (400, "The PublicKeyBody format is not supported."),
    "InvalidRamRole.NotEcsRole": (400, "The specified ram role is not authorized for ecs."),
    "InvalidRegionId.NotFound": (404, "The specified RegionId does not exist."),
    "InvalidResourceId.NotFound": (404, "The specified ResourceId {name} does not exist."),
    "InvalidResourceType.NotFound": (404, "The ResourceType provided does not exist in our records."),
    "InvalidSecurityGroupId.NotFound": (404, "The specified SecurityGroupId does not exist."),
    "InvalidSecurityToken.Expired": (400, "Specified SecurityToken is expired."),
    "InvalidSecurityToken.MismatchWithAccessKey": (400, "Specified SecurityToken mismatch with the AccessKey."),
    "InvalidSecurityGroupName.Malformed": (400, "Specified security group name is not valid."),
    "InvalidSpotPriceLimit.LowerThanPublicPrice": (400, ("The specified parameter \"spotPriceLimit\" can't be lower than "
                                                         "current public price.")),
    "InvalidSystemDiskCategory.ValueNotSupported": (403, ("The specified parameter \"SystemDisk.Category\" is not "
                                                         "supported.")),
    "InvalidSystemDiskSize.LessThanMinSize": (404, "The specified parameter SystemDisk.Size is less than the min size."),
    "InvalidSystemDiskSize.MoreThanMaxSize": (404, "The specified SystemDisk.Size parameter exceeds the maximum size."),
    "InvalidTagKey.Malformed": (400, "The specified Tag.n.Key is not valid."),
    "InvalidTagValue.Malformed": (400, "The specified Tag.n.Value is not valid."),
    "InvalidTimeStamp.Expired": (400, "Specified time stamp or date value is expired."),
    "InvalidTimeStamp.Format": (400, "Specified time stamp or date value is not well formatted."),
    "InvalidUserData.Base64FormatInvalid": (403, "The specified UserData is not valid."),
    "InvalidUserData.SizeExceeded": (400, "The size of the specified UserData exceeds 32 KB."),
    "IncorrectVSwitchStatus": (400, "Current VSwitch status does not support this operation."),
    "IncorrectVpcStatus": (400, "Current VPC status does not support this operation."),
    "InvalidCidrBlock.Overlapped": (400, "Specified CIDR block overlapped with other subnets."),
    "InvalidSecurityGroupId.VPCMismatch": (403, "The specified security group and vSwitch are not in the same VPC."),
    "InvalidVpcId.NotFound": (404, "The specified VpcId does not exist."),
    "QuotaExceeded.Vpc": (400, "VPC quota exceeded."),
    "DependencyViolation.SecurityGroup": (400, "Security group exists in the specified vpc."),
    "DependencyViolation.VSwitch": (400, "Vswitch exists in the specified vpc."),
    "InvalidVSwitchId.NotFound": (404, "The specified VSwitchId does not exist."),
    "InvalidVersion": (400, "Specified parameter Version is not valid."),
    "InvalidZoneId.NotFound": (404, "The specified ZoneId does not exist."),
    "KeyPair.AlreadyExist": (400, "The key pair already exist."),
    "LastTokenProcessing": (400, "The last token request is processing, please try again later."),
    "MissingParameter": (400, ("The input parameter \"{name}\" that is mandatory for processing this request is not "
                              "supplied.")),
    "MissingSecurityToken": (400, "SecurityToken is mandatory for this action."),
    "NoPermission": (403, "You are not authorized to do this action. You should be authorized by RAM."),
    "NumberExceed.ResourceIds": (400, "The ResourceIds parameter's number is exceed , Valid : 50"),
    "NumberExceed.Tags": (400, "The Tags parameter's number is exceed , Valid : 20"),
    "OperationDenied.LocalNotSupported": (403, "The local ECS does not act on the parameter \"{name}\"."),
    "OperationDenied.NoStock": (403, ("The requested resource is sold out in the specified zone, please try other "
                                     "types of resources or other regions and zones.")),
    "OperationDenied.PrepayNotAvailable": (403, "Prepay instance is not available now."),
    "QuotaExceed.ElasticQuota": (403, "The number of the specified instances has exceeded your quota."),
    "QuotaExceed.TagsPerResource": (400, "The maximum number of tags for each resource is exceeded."),
    "ServiceUnavailable": (503, "The request has failed due to a temporary failure of the server."),
    "SignatureDoesNotMatch": (400, ("Specified signature is not matched with our calculation. server string to sign "
                                   "is:{name}")),
    "SignatureNonceUsed": (400, "Specified signature nonce was used already."),
    "Throttling": (400, "Request was denied due to request throttling."),
    "Throttling.User": (400, "Request was denied due to user flow control."),
    "UnsupportedHTTPMethod": (405, "This http method is not supported."),
    "Zone.NotOnSale": (403, "The resource in the specified zone is no longer available for sale."),
}


class ApiError(Exception):
    """A refusal. ``code`` is the ECS error code, ``status`` the HTTP status of the answer, ``detail`` further
    fields of it."""

    def __init__(self, code: str, name: str = "", message: str = "", status: int = 0, detail: dict | None = None):
        default_status, text = CODES.get(code, (400, "The request was refused."))
        self.code = code
        self.status = status or default_status
        self.message = message or text.replace("{name}", name)
        self.detail = detail or {}
        super().__init__(f"{code}: {self.message}")


def missing(name: str) -> ApiError:
    """A mandatory parameter is absent: the gateway's ``Missing<Name>``."""
    return ApiError(f"Missing{name.split('.')[0]}", message=f"{name} is mandatory for this action.")


def invalid(name: str, reason: str = "") -> ApiError:
    """A parameter cannot be read as its type: the gateway's ``Invalid<Name>``."""
    text = f"Specified parameter {name} is not valid."
    return ApiError(f"Invalid{name.split('.')[0]}", message=f"{text} {reason}".strip())
