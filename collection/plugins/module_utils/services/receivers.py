"""Those who get messages of alerts: what a spec says of them, and what Alertmanager is told."""
from __future__ import annotations

from ..domain.paths import MONITORING_SECRETS
from ..domain.spec.field import Field

# The severity of the alert that fires always, and of receivers that get it.
WATCHDOG = "watchdog"
MAIL = r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,253}"
MAIL_SUBJECT = '[{{ .Status }}] {{ .GroupLabels.alertname }} ({{ len .Alerts }})'
MAIL_TEXT = """{{ range .Alerts }}{{ .Status }}: {{ .Labels.severity }} {{ .Labels.alertname }} {{ .Labels.node }}
{{ .Annotations.means }}
{{ .Annotations.help }}

{{ end }}"""

RECEIVER = Field(
    "receiver", "object", "Somebody who gets messages of alerts. Its secret is taken from the variable EMR_RECEIVER_NAME (its name in capitals, _ for -) "
    "when it is needed first, and kept where Alertmanager alone reads it.", example="{type: webhook, url: https://hooks.example.com/emr}",
    fields=(
        Field("type", "text", "`webhook` posts JSON, `email` sends mail, `dingtalk` writes to a group by its robot.", choices=("webhook", "email", "dingtalk"),
              required=True, example="webhook"),
        Field("url", "text", "Of a webhook: its address. Of a robot of DingTalk: its address without the token, if it is not DingTalk's own.", default=None,
              form="url", expect="an http:// or https:// address", example="https://hooks.example.com/emr"),
        Field("severity", "text", "The least that is sent: `critical` leaves out warnings. `watchdog` is a sign of life every five minutes and nothing else, "
              "for a service that tells you when it falls silent.", choices=("critical", "warning", WATCHDOG), default="warning", example="critical"),
        Field("to", "list", "Addresses of an email.", default=(), most=20, unique=True, single=True, example="[ops@example.com]",
              item=Field("address", "text", "An address.", pattern=MAIL, expect="an address of mail", example="ops@example.com")),
        Field("sender", "text", "Address that an email comes from.", pattern=MAIL, default=None, expect="an address of mail", example="emr@example.com"),
        Field("smarthost", "text", "Server that takes emails, with its port; 465 speaks TLS from the beginning.", default=None,
              pattern=r"[A-Za-z0-9][A-Za-z0-9.-]*:[0-9]{1,5}", expect="HOST:PORT", example="smtp.example.com:465"),
        Field("user", "text", "Who logs in there; the secret is the password.", default=None, pattern=r"[!-~]{1,128}", expect="the name of a user",
              example="emr@example.com"),
        Field("secret", "bool", "Of a webhook: the secret is sent as a bearer token.", default=False, example="true"),
    ), aliases={"from": "sender", "host": "smarthost", "address": "url", "kind": "type"})

SPEC = Field(
    "monitoring", "object", "The service `monitoring`, which keeps figures and sends messages of alerts. It runs unless it is switched off.", default={},
    example="{receivers: {ops: {type: webhook, url: https://hooks.example.com/emr}}}",
    fields=(Field("enabled", "bool", "`false` leaves the service out; it need not stand in `services`.", default=True, example="false"),
            Field("receivers", "map", "Who gets messages of alerts, by name.", default={}, most=20, form="receivers", expect="receivers by name",
                  item=RECEIVER, example="{ops: {type: webhook, url: https://hooks.example.com/emr}}"),), aliases={"receiver": "receivers"})


def receiver_of(receiver) -> dict:
    """The part of Alertmanager's configuration that says how somebody is reached. No secret is in it."""
    secret = f"{MONITORING_SECRETS}/{receiver.name}"
    # The end of a sign of life would be taken for one.
    resolved = receiver.severity != WATCHDOG
    if receiver.type == "dingtalk":
        return {"webhook_configs": [{"url": f"http://127.0.0.1:9094/{receiver.name}", "send_resolved": resolved}]}
    if receiver.type == "webhook":
        more = {"http_config": {"authorization": {"credentials_file": secret}}} if receiver.has_secret else {}
        return {"webhook_configs": [{"url": receiver.url, "send_resolved": resolved, **more}]}
    login = {"auth_username": receiver.user, "auth_password_file": secret} if receiver.has_secret else {}
    return {"email_configs": [{
        "to": ", ".join(receiver.to), "from": receiver.sender, "smarthost": receiver.smarthost, "send_resolved": resolved, "html": "", "text": MAIL_TEXT,
        "headers": {"Subject": MAIL_SUBJECT}, **login, **({} if receiver.smarthost.endswith((":465", ":587")) else {"require_tls": False})}]}


def check_receivers(spec):
    """What of a receiver cannot work: (path, problem, remedy)."""
    for receiver in spec.monitoring.receivers.values():
        path = f"monitoring.receivers.{receiver.name}"
        needed = {"webhook": ("url",), "email": ("to", "sender", "smarthost"), "dingtalk": ()}[receiver.type]
        for key in needed:
            if not getattr(receiver, key):
                yield path, f"{receiver.type} without {key}", f"Add {key}."
        if receiver.url and receiver.url.startswith("oss:"):
            yield f"{path}.url", "a place in OSS", "Write an address that begins with http:// or https://."
