"""OSS on a connection of the common port: read a request, send its answer."""
from __future__ import annotations

import base64
import logging
import time
import uuid

from .answer import Answer, http_date
from .errors import Cut, OssError
from .request import Request
from .xml import document

log = logging.getLogger(__name__)
# A client that is refused while it still sends gets so many bytes more to say before the connection ends.
MOST_DRAINED = 64 << 20


def serve(handler, oss, target: str) -> None:
    """Answer one request of a BaseHTTPRequestHandler whose path is ``target``."""
    request_id = uuid.uuid4().hex[:24].upper()
    began = time.monotonic()
    request = Request(handler.command, target, handler.headers, handler.rfile)
    action, code = "", "OK"
    try:
        action, answer = oss.handle(request)
    except Cut:
        code, answer = "Disconnect", None
    except OssError as error:
        code, answer = error.code, _refusal(request, error, request_id)
    except Exception:  # a fault of this server must look like one of the service's
        log.exception("OSS %s %s", handler.command, request.bucket)
        code, answer = "InternalError", _refusal(request, OssError("InternalError"), request_id)
    if answer is None or not request.body.drain(MOST_DRAINED + request.body.received):
        handler.close_connection = True
    if answer is not None and not _send(handler, request, answer, request_id, began):
        handler.close_connection = True
    log.info("oss %s %s %s %s %.0f ms", action or request.method, request.bucket, code, request_id,
             (time.monotonic() - began) * 1000)


def _refusal(request: Request, error: OssError, request_id: str) -> Answer:
    body = document("Error", {"Code": error.code, "Message": error.message, "RequestId": request_id,
                              "HostId": request.host, **error.detail})
    if error.status == 304:
        return Answer(304, {"ETag": f'"{error.detail.get("ETag", "")}"'})
    if request.method == "HEAD":
        return Answer(error.status, {"Content-Type": "application/xml", "x-oss-err": base64.b64encode(body).decode()},
                      length=len(body))
    return Answer(error.status, {"Content-Type": "application/xml"}, body)


def _send(handler, request: Request, answer: Answer, request_id: str, began: float) -> bool:
    """Whether all of it was sent; a fault may want less."""
    length = answer.length if answer.file or request.method == "HEAD" else len(answer.body)
    handler.send_response_only(answer.status)
    head = {"Server": "AliyunOSS", "Date": http_date(time.time()), "x-oss-request-id": request_id,
            "x-oss-server-time": str(round((time.monotonic() - began) * 1000)), **answer.headers}
    if answer.status not in (204, 304):
        head["Content-Length"] = str(length)
    for name, value in head.items():
        handler.send_header(name, value)
    handler.end_headers()
    try:
        if request.method == "HEAD" or not length:
            return True
        most = length if request.cut is None else min(length, request.cut)
        if answer.file:
            handler.wfile.flush()
            if most:
                handler.connection.sendfile(answer.file, answer.start, most)
        else:
            handler.wfile.write(answer.body[:most])
        return most == length
    finally:
        if answer.file:
            answer.file.close()
