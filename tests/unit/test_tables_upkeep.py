"""Upkeep of tables: which statements, for which tables, and what is refused."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.tables import upkeep
from ansible_collections.emr.cluster.plugins.module_utils.node.tables import program

NOW = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC
ICEBERG = upkeep.Table("shop", "orders", "iceberg", "emr")
DELTA = upkeep.Table("default", "trips", "delta", "alice")


def sql(table, history=7 * 86400, orphans=7 * 86400):
    return [step.sql for step in upkeep.steps(table, history, orphans, NOW)]


def test_iceberg_goes_by_moments_in_utc():
    compact, lists, expire, orphans = sql(ICEBERG, 3600, 3 * 86400)
    assert compact.startswith("CALL iceberg.system.rewrite_data_files(table => '`shop`.`orders`'") and "'partial-progress.enabled', 'true'" in compact
    assert lists == "CALL iceberg.system.rewrite_manifests(table => '`shop`.`orders`')"
    assert expire == "CALL iceberg.system.expire_snapshots(table => '`shop`.`orders`', older_than => TIMESTAMP '2027-01-15 07:00:00+00:00')"
    assert orphans == "CALL iceberg.system.remove_orphan_files(table => '`shop`.`orders`', older_than => TIMESTAMP '2027-01-12 08:00:00+00:00')"


@pytest.mark.parametrize(("history", "orphans", "hours"), [(7 * 86400, 7 * 86400, 168), (3600, 86400, 24), (30 * 86400, 86400, 720), (5000, 86401, 25)])
def test_delta_has_one_time_for_both_and_it_is_the_longer(history, orphans, hours):
    assert sql(DELTA, history, orphans) == ["OPTIMIZE `default`.`trips`", f"VACUUM `default`.`trips` RETAIN {hours} HOURS"]


def test_names_are_read_as_people_write_them():
    assert upkeep.wanted(["trips", "shop.Orders", "iceberg.shop.orders", "iceberg.stops"]) == [
        ("default", "trips"), ("shop", "orders"), ("shop", "orders"), ("default", "stops")]


@pytest.mark.parametrize("text", ["a.b.c", "it's", "shop.", "", "a b", "x`; DROP TABLE y", "shop.'); CALL"])
def test_other_names_are_refused(text):
    with pytest.raises(ValueError, match="DATABASE.TABLE"):
        upkeep.wanted([text])


@pytest.mark.parametrize(("arguments", "said"), [
    (["--history", "5m"], r"--history 5m: expected at least 1h"), (["--orphans", "2h"], r"--orphans 2h: expected at least 1d"),
    (["--history", "a week"], "not a duration"), (["--keep", "1d"], "no option --keep"), (["a.b.c.d"], "DATABASE.TABLE")])
def test_what_cannot_be_is_refused_before_spark_starts(arguments, said, capsys):
    import re

    assert program.main(arguments) == 2
    assert re.search(said, capsys.readouterr().err)


def test_a_week_is_kept_when_nothing_is_said():
    assert program._asked([]) == {"tables": [], "history": 7 * 86400, "orphans": 7 * 86400}
    assert program._asked(["shop.orders", "--history", "2d", "trips"])["tables"] == [("shop", "orders"), ("default", "trips")]


def test_each_user_keeps_their_own():
    tables = [ICEBERG, DELTA, DELTA._replace(name="stops")]
    assert program._choose(tables, [], "emr") == ([ICEBERG], {"alice": 2}, [])
    mine, _others, problems = program._choose(tables, [("shop", "orders"), ("default", "trips"), ("default", "gone")], "emr")
    assert mine == [ICEBERG] and "run this as --user alice" in problems[0] and "default.gone: there is no table" in problems[1]
