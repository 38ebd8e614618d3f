"""`emrctl backup` and `emrctl restore`: copies of the NameNode's metadata, and the way back from them."""
from __future__ import annotations

import typer

from emrctl.output import duration, table
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, YES, Format, ask, emit, run

LIST = typer.Option(False, "--list", help="List the backups and change nothing.")
FROM = typer.Option("latest", "--from", metavar="ID", help="Restore this backup, listed by `emrctl backup NAME --list`; oss:ID or oss:latest takes it from OSS.")
ACCEPT = typer.Option(False, "--accept-loss", help="Accept the restored file system as it is: leave safe mode and go on.")
KEEP = typer.Option(False, "--keep-broken", help="With --accept-loss: keep the names of files whose content is lost.")
WITHOUT = typer.Option(False, "--without-nodes", help="With --accept-loss: although not all DataNodes are live.")
PATHS_SHOWN = 20


def backup(name: str = NAME, listing: bool = LIST, region: str = REGION, output: Format = OUTPUT,
           quiet: bool = QUIET) -> None:
    """Back up the NameNode's metadata now, or list the backups. Scheduled backups go on as before."""
    action = "list" if listing else "now"
    data = run("backup", {"emr_name": name, "emr_region": region, "emr_backup_action": action}, quiet).data
    emit(data, output, copies_text(data) if listing else made_text(data))


def restore(name: str = NAME, source: str = FROM, accept: bool = ACCEPT, keep_broken: bool = KEEP, without: bool = WITHOUT,
            yes: bool = YES, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Bring back a NameNode whose disk is lost from a backup; HDFS stays in safe mode until --accept-loss."""
    wanted = {"emr_name": name, "emr_region": region}
    if accept:
        if not yes:
            ask(f"Accept that cluster {name} loses all changes after the backup, and let HDFS delete the blocks that it does not know?")
        wanted |= {"emr_restore_keep_broken": keep_broken, "emr_restore_without_nodes": without}
        data = run("restore_accept", wanted, quiet).data
        emit(data, output, accepted_text(name, data))
        return
    if not yes:
        ask(f"Restore the NameNode of cluster {name} from backup {source}?")
    data = run("restore", {**wanted, "emr_restore_from": source}, quiet).data
    emit(data, output, restored_text(name, data))


def copies_text(data: dict) -> str:
    """The copies of all nodes, the newest first, and how scheduled backups stand."""
    rows = [dict(row, kept_on=node) for node, found in (data.get("copies") or {}).items() for row in found]
    rows.sort(key=lambda row: row["began"], reverse=True)
    columns = ["id", "time", "txid", "bytes", "kept_on"]
    lines = [table(rows, columns) if rows else "There is no backup yet."]
    state = data.get("backup") or {}
    if state.get("error"):
        lines.append(f"The last attempt failed: {state['error']}")
    if state.get("overdue"):
        lines.append(f"Overdue: the last good backup is {duration(state['age_s'])} old; the spec wants one every "
                     f"{duration(state['every_s'])}.")
    return "\n".join(lines)


def made_text(data: dict) -> str:
    """What was made."""
    made = data.get("made") or {}
    return (f"Backup {made.get('id')}: {made.get('bytes'):,} bytes up to transaction {made.get('txid')}, verified, on "
            f"{data.get('keeper')}.")


def restored_text(name: str, data: dict) -> str:
    """What came back, what cannot be known, and the next command."""
    found = data.get("restore") or {}
    source = found.get("from") or {}
    lines = [(f"The NameNode of cluster {name} runs from backup {source.get('from')}, in safe mode: you can read files, not write "
             "or delete them."),
             (f"Restored: everything up to {source.get('time')} (transaction {source.get('txid')}), {found.get('files'):,} files, "
             f"{found.get('blocks'):,} blocks."),
             "Lost: everything that was made, changed, renamed or deleted after that time."]
    lines += since_lines(data.get("since") or {})
    if found.get("waiting"):
        lines.append(f"Incomplete: {found['waiting']}. Their blocks count as missing here.")
    if data.get("appended"):
        lines.append(f"{len(data['appended']):,} files that were appended to after that time have the contents that the DataNodes have.")
    lines += broken_lines(found)
    lines += ["", f"Next: look at the files, for example: emrctl get {name} /user/emr/… .",
              f"      emrctl restore {name} --accept-loss      (HDFS goes on and deletes unknown blocks for good)"]
    return "\n".join(lines)


def since_lines(since: dict) -> list:
    """What DataNodes hold from after the backup."""
    count, size = (sum(row.get(key, 0) for row in since.values()) for key in ("replicas", "bytes"))
    if not count:
        return ["DataNodes hold no blocks from after that time."]
    newest = max(row.get("newest") or "" for row in since.values())
    return [(f"DataNodes hold {count:,} replicas ({size:,} bytes) of blocks written after that time, the newest at {newest}: they belong to "
            "files that the backup does not know.")]


def broken_lines(found: dict) -> list:
    """Files of the backup whose content is not there any more."""
    broken = found.get("broken") or []
    if not found.get("broken_files"):
        return ["Every block of every restored file is there."]
    lines = [(f"{found['broken_files']:,} restored files have lost blocks (deleted or changed after the backup, or on DataNodes that "
             "are not there):")]
    lines += [f"  {row['path']}  ({row['blocks']} blocks {row['kind']}, {row['bytes']:,} bytes)" for row in broken[:PATHS_SHOWN]]
    if found["broken_files"] > PATHS_SHOWN:
        lines.append(f"  and {found['broken_files'] - PATHS_SHOWN:,} more; -o json lists the first 1,000")
    return lines


def accepted_text(name: str, data: dict) -> str:
    """The end of a restore."""
    found = data.get("accepted") or {}
    made = data.get("made") or {}
    lines = [f"Cluster {name} goes on with the file system of {(found.get('from') or {}).get('time')}."]
    if found.get("broken_files"):
        what = "Deleted, since their content was lost" if found.get("deleted") else "Kept although their content is lost"
        lines.append(f"{what}: {found['broken_files']:,} files.")
        lines += [f"  {row['path']}" for row in (found.get("broken") or [])[:PATHS_SHOWN]]
    if made:
        lines.append(f"New backup: {made.get('id')}.")
    else:
        lines.append(f"No new backup was made, because the node that keeps backups does not answer. Replace it: emrctl repair {name}")
    return "\n".join([*lines, f"Next: emrctl status {name}"])
