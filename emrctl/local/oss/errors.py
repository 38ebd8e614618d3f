"""Refusals as OSS answers them: a code that clients match on, an HTTP status and a sentence for people."""
from __future__ import annotations

from ..api.errors import ApiError

# code -> (HTTP status, message)
CODES = {
    "AccessDenied": (403, "You have no right to access this object because of bucket acl."),
    "BadDigest": (400, "The Content-MD5 you specified did not match what we received."),
    "BucketNotEmpty": (409, "The bucket you tried to delete is not empty."),
    "EntityTooLarge": (400, "Your proposed upload exceeds the maximum allowed object size."),
    "EntityTooSmall": (400, "Your proposed upload smaller than the minimum allowed size."),
    "FileAlreadyExists": (409, "The object you specified already exists and can not be overwritten."),
    "IncompleteBody": (400, "You did not provide the number of bytes specified by the Content-Length HTTP header."),
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "InvalidAccessKeyId": (403, "The OSS Access Key Id you provided does not exist in our records."),
    "InvalidArgument": (400, "Invalid argument."),
    "InvalidBucketName": (400, "The specified bucket is not valid."),
    "InvalidDigest": (400, "The Content-MD5 you specified is not valid."),
    "InvalidObjectName": (400, "The specified object is not valid."),
    "InvalidPart": (400, ("One or more of the specified parts could not be found or the specified entity tag might not "
                         "have matched the part's entity tag.")),
    "InvalidPartOrder": (400, ("The list of parts was not in ascending order. Parts list must specified in order by part "
                              "number.")),
    "InvalidRange": (416, "The requested range cannot be satisfied"),
    "InvalidSecurityToken": (403, "The security token you provided is invalid."),
    "MalformedXML": (400, "The XML you provided was not well-formed or did not validate against our published schema."),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "NoSuchBucket": (404, "The specified bucket does not exist."),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchUpload": (404, ("The specified upload does not exist. The upload ID may be invalid, or the upload may have "
                          "been aborted or completed.")),
    "NotImplemented": (400, "The local OSS does not implement this."),
    "NotModified": (304, "Not Modified"),
    "PreconditionFailed": (412, "At least one of the pre-conditions you specified did not hold."),
    "RequestTimeTooSkewed": (403, "The difference between the request time and the current time is too large."),
    "SecurityTokenExpired": (403, "The security token you provided has expired."),
    "ServiceUnavailable": (503, "Thread pool is almost full, please retry later"),
    "SignatureDoesNotMatch": (403, ("The request signature we calculated does not match the signature you provided. "
                                   "Check your key and signing method.")),
    "TotalQpsLimitExceeded": (503, "Max total qps limit is exceeded"),
}
# What keys, tokens and faults of the local ECS are called here.
_OF_API = {"InvalidAccessKeyId.NotFound": "InvalidAccessKeyId", "MissingSecurityToken": "InvalidAccessKeyId",
           "InvalidSecurityToken.MismatchWithAccessKey": "InvalidSecurityToken",
           "InvalidSecurityToken.Expired": "SecurityTokenExpired", "Throttling.User": "TotalQpsLimitExceeded"}


class OssError(Exception):
    """A refusal. ``detail`` are further elements of the error document."""

    def __init__(self, code: str, message: str = "", status: int = 0, **detail):
        default_status, text = CODES.get(code, (400, "The request was refused."))
        self.code = code
        self.status = status or default_status
        self.message = message or text
        self.detail = detail
        super().__init__(f"{code}: {self.message}")


class Cut(Exception):
    """The connection breaks here, as a fault asks for: no answer, or no more of it."""


def from_api(error: ApiError) -> OssError:
    """A refusal of the local ECS's keys, sessions and faults in the terms of OSS."""
    code = _OF_API.get(error.code, error.code)
    if code in CODES:
        return OssError(code, status=0 if code != error.code else error.status)
    return OssError(code, error.message, error.status)
