"""Text forms, for people, of what the playbooks return. Programs take -o json."""
from __future__ import annotations

import time

from emrctl import views_usage
from emrctl.output import duration, render, table


def plan(data: dict) -> str:
    """A plan: what happens to which node, what it costs, what the cluster will offer, and the digest that stands for it."""
    found = data.get("plan", data)
    lines = []
    if found.get("buy"):
        columns = ["group", "role", "count", "instance_type", "vcpus", "memory_gib", "price_hour"]
        lines += [f"To buy for cluster {found.get('cluster')}:", table(found["buy"], columns)]
        image = found.get("image") or {}
        lines += [f"Image: {image['id']} ({image['system']}, {image['architecture']})"] if image else []
    if found.get("release"):
        lines += [f"To delete with all data of cluster {found.get('cluster')}: {', '.join(found['release'])}"]
    if found.get("networks"):
        lines += [f"To delete, because it was made for cluster {found.get('cluster')}: {', '.join(found['networks'])}"]
    lines += [f"To change: {change if isinstance(change, str) else render(change)}" for change in found.get("changes") or []]
    lines += [f"Sold out: {', '.join(row['sold_out'])} of group {row['group']}; {row['takes_its_place']} takes its place"
              for row in found.get("substitutes") or []]
    lines += _kept(found.get("nodes") or [])
    lines += [f"Note: {warning}" for warning in found.get("warnings") or []]
    if not (found.get("buy") or found.get("release") or found.get("changes") or found.get("networks")):
        lines.insert(0, f"Nothing to buy, change or delete for cluster {found.get('cluster')}.")
    lines += _sources(found) + _costs(found) + _offer(found.get("offer") or {})
    lines.append(f"Digest: {found.get('digest', '-')}")
    return "\n".join(lines)


def _kept(nodes: list) -> list:
    """Nodes to which nothing happens, and those that the spec does not have."""
    kept = [n["node"] for n in nodes if n["does"] == "keep"]
    shown = f"{', '.join(kept[:6])}{f' and {len(kept) - 6} more' if len(kept) > 6 else ''}"
    return [f"Stays as it is: {shown}"] if kept else []


def _sources(found: dict) -> list:
    """Where the software comes from, and how much of it this machine has to send."""
    rows = found.get("sources") or []
    if not rows:
        return []
    columns = ["artifact", "version", "source", "address", *(["push_mib"] if found.get("push_mib") else [])]
    lines = ["Software comes from:", table(rows, columns)]
    if found.get("push_mib"):
        lines.append(f"This machine sends {found['push_mib']:,} MiB to the control node, which gives it to the others.")
    return lines


def _costs(found: dict) -> list:
    """Price now and after, and spot against pay-as-you-go."""
    costs, lines = found.get("price") or {}, []
    if costs.get("now"):
        source = f" ({costs['source']})" if costs.get("source") else ""
        lines += [f"Price {when}: {costs[when]['hourly']:,.2f} {costs.get('currency', '')} per hour, "
                  f"{costs[when]['monthly']:,.2f} per month{source}" for when in ("now", "after")]
    elif costs:
        lines.append(f"Price of the whole cluster: {price(costs)}")
    for row in found.get("spot") or []:
        note = "" if row["may_be_spot"] else "; only groups with the role task may be spot"
        lines.append(f"Spot of {row['instance_type']} ({row['group']}, buys {row['buys']}): {row['spot_hour']:,.3f} per hour now, "
                     f"{row['spot_least']:,.3f} to {row['spot_most']:,.3f} in {row['samples']} samples since {row['from']}, "
                     f"pay-as-you-go {row['payg_hour']:,.3f}{note}")
    return lines


def _offer(offer: dict) -> list:
    """What the cluster offers now and after."""
    lines = []
    for when in ("now", "after"):
        row = offer.get(when)
        if row:
            lines.append(f"Offers {when}: {row['nodes']} nodes, YARN {row['yarn_memory_mib'] / 1024:,.1f} GiB and "
                         f"{row['yarn_vcores']} vcores, HDFS {row['hdfs_gib']:,} GiB with {row['replication']} copies "
                         f"({row['hdfs_raw_gib']:,} raw)")
    return lines if len(lines) < 2 or lines[0].split(":")[1] != lines[1].split(":")[1] else lines[1:]


def created(data: dict, seconds: float) -> str:
    """What a person needs after create: where the pages are, what it costs, what to do next."""
    name = data.get("name") or data.get("cluster") or "NAME"
    lines = [f"Cluster {name} is ready after {duration(seconds)}."]
    links = data.get("links") or []
    if isinstance(links, dict):
        links = [{"page": k, "url": v} for k, v in links.items()]
    if links:
        lines += ["", table(links, list(links[0]))]
    if data.get("price"):
        lines += ["", f"Price: {price(data['price'])}"]
    lines += ["", f"Next: emrctl status {name}", f"      emrctl open {name}      (the pages above in your browser)",
              f"      emrctl submit {name} --type SHELL -- 'hdfs dfs -ls /'", f"      emrctl release {name}"]
    return "\n".join(lines)


def price(found) -> str:
    """Hourly price with currency and where the price comes from."""
    if not isinstance(found, dict):
        return str(found)
    amount, source = found.get("hourly", found.get("total", "?")), found.get("source", "")
    return f"{amount} {found.get('currency', '')} per hour".replace("  ", " ") + (f" ({source})" if source else "")


def shown(what: str, part, origin: bool) -> str:
    """`emrctl show`: configuration as `file key value [origin]`, everything else in the general form."""
    if what != "config" or not isinstance(part, dict):
        if what == "spec" and isinstance(part, dict):
            from emrctl.output import to_yaml

            return to_yaml(part)
        return render(part)
    rows = []
    for stem, values in part.items():
        for key, value in values.items():
            pair = value if isinstance(value, dict) else {"value": value}
            rows.append({"file": stem, "key": key, "value": pair.get("value"), "origin": pair.get("origin")})
    return table(rows, ["file", "key", "value"] + (["origin"] if origin else []))


def job(cluster: str, found: dict) -> str:
    """One job and the command for its output."""
    lines = [f"{found.get('id')}  {found.get('type', '')}  {found.get('state', '')}"]
    if found.get("seconds"):
        lines[0] += f"  {duration(float(found['seconds']))}"
    if found.get("error") or found.get("reason"):
        lines.append(str(found.get("error") or found["reason"]))
    lines.append(f"Output: emrctl jobs logs {cluster} {found.get('id')}")
    return "\n".join(lines)


def job_details(cluster: str, found: dict) -> str:
    """All that is known of a job."""
    rows = [{"key": key.replace("_", " "), "value": value if isinstance(value, (str, int, float)) else " ".join(map(str, value))}
            for key, value in found.items() if value not in (None, "", [], {}, 0, False) and key not in JOB_PARTS]
    history = [{"time": moment(row["time"]), "state": row["state"], "attempt": row.get("attempt"), "exit_code": row.get("exit_code"),
                "reason": (row.get("reason") or "").split("\n")[0]} for row in found.get("history", [])]
    columns = [c for c in ("time", "state", "attempt", "exit_code", "reason") if any(row[c] not in (None, "") for row in history)]
    return "\n\n".join(filter(None, [table(rows, ["key", "value"]), table(history, columns), views_usage.used(found), views_usage.slow(found, cluster),
                                     job(cluster, found)]))


JOB_PARTS = ("history", "error", "digest", "prelude", "need_mib", "secrets", "reason", "usage", "slow")


def moment(seconds: float) -> str:
    """Seconds of the epoch as a time in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def jobs(found: list) -> str:
    """The list of jobs."""
    if not found:
        return "No jobs."
    rows = [dict(row, attempts=row["attempts"] if row.get("attempts", 0) > 1 else None, seconds=round(row["seconds"]), **views_usage.brief(row)) for row in found]
    columns = [c for c in ("id", "name", "type", "state", "attempts", "exit_code", "submitted", "seconds", "user", "gib_s", "vcore_s", "cost")
               if any(row.get(c) not in ((None, "", 0) if c == "exit_code" else (None, "")) for row in rows)]
    return table(rows, columns)
