"""What the alerts of all homes have in common."""
from __future__ import annotations

from .model import Alert, Component


def full_soon(what: str, by: str) -> str:
    """That what is left of something (a series' name) is nothing within {at} hours, at the pace of the last hour and at that of the last six.

    Software and first data fill a young disk quickly and then no more, and a job may write for an hour what it deletes: so it holds for what was there 90
    minutes ago, and for both paces. ``by``: the labels that tell one from the other.
    """
    paces = " and ".join(f"max by ({by}) (predict_linear({what}[{span}], {{at}} * 3600)) < 0" for span in ("1h", "6h"))
    return f"{paces} and max by ({by}) ({what} offset 90m) > 0"


def silent(series: str, by: str = "") -> str:
    """That a series is 0 which was 1 within the last hour, or which has been 0 for ten minutes: what starts for the first time is not down yet.

    ``by``: labels; then it holds for the greatest of all series that have these in common.
    """
    def greatest(text: str) -> str:
        return f"max by ({by}) ({text})" if by else text

    served, never, then = (greatest(text) for text in (f"max_over_time({series}[1h])", f"max_over_time({series}[10m])", f"{series} offset 10m"))
    return f"{greatest(series)} == 0 and ({served} == 1 or {never} == 0 and {then} == 0)"


def down(name: str, component: Component, means: str, severity: str = "warning", follows: tuple = ()) -> Alert:
    """A daemon that does not serve: it gives no figures, or it does not answer the node's own look where it has none to give.

    ``means``: what of the cluster does not work then. A restart takes less than a minute, so that is no alert.
    """
    series = f'up{{component="{component.name}"}}' if component.metrics else f'emr_daemon_up{{daemon="{component.name}"}}'
    return Alert(name, silent(series), f"{component.label} on {{{{ $labels.node }}}} does not answer. {means}",
                 "emrctl repair {cluster} --node {node}", severity, 60, follows=follows)
