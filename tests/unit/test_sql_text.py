"""SQL and names as people write them."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.transfer import jdbc_errors, jdbc_types, sql_text
from ansible_collections.emr.cluster.plugins.module_utils.domain.transfer.jdbc_types import Column


@pytest.mark.parametrize("text, system, found", [
    ("tags ? 'vip'", "postgresql", "tags ?? 'vip'"), ("tags ?| ARRAY['a?']", "postgresql", "tags ??| ARRAY['a?']"),
    ("a = '?' -- really?\n AND b ? 'c'", "postgresql", "a = '?' -- really?\n AND b ?? 'c'"),
    ("a = $x$ ? ' $x$ AND \"b?\" = E'\\'?'", "postgresql", "a = $x$ ? ' $x$ AND \"b?\" = E'\\'?'"), ("a = '\\' AND b ? 'c'", "postgresql", "a = '\\' AND b ?? 'c'"),
    ("/* ? /* ? */ ? */ a ? 'b'", "postgresql", "/* ? /* ? */ ? */ a ?? 'b'"), ("a = '?'", "mysql", "a = '?'"),
    ("a = 1 -- note", "mysql", "a = 1"), ("a = 1 # it's", "mysql", "a = 1"), ("a = 1;", "mysql", "a = 1"), ("a = 'x\\'; ' ; -- y\n;", "mysql", "a = 'x\\'; '"),
    ("a = '--' /* b */", "postgresql", "a = '--'"), ("`a;b` = \"(\"", "mysql", "`a;b` = \"(\""), ("a--1", "mysql", "a--1"), ("a1$b$ = 1 OR $1", "mysql", "a1$b$ = 1 OR $1"),
])
def test_conditions_end_where_their_last_word_ends(text, system, found):
    assert sql_text.condition(text, system) == found + "\n"


@pytest.mark.parametrize("text, system, said", [
    ("a = 1; DROP TABLE b", "mysql", "several statements"), ("a = 'x", "mysql", "opening '"), ("a = \"x", "postgresql", "opening \""), ("1 = 1) OR (1 = 1", "mysql", "brackets"),
    ("(a", "postgresql", "brackets"), ("a /* b", "mysql", r"opening /\*"), ("a $x$ b", "postgresql", r"opening \$x\$"), ("-- nothing", "mysql", "empty"), (" ; ", "mysql", "empty"),
    ("a = \0", "mysql", "nobody sees"), ("a = 'x\\'", "mysql", "opening '"),
])
def test_what_is_no_condition_is_refused(text, system, said):
    with pytest.raises(Refused, match=f"--where has|--where is.*{said}|{said}"):
        sql_text.condition(text, system)


def test_queries():
    assert sql_text.query("SELECT 1; -- done\n", "mysql") == "SELECT 1\n"
    assert sql_text.query("/* x */ WITH a AS (SELECT 1) SELECT * FROM a;", "postgresql").endswith("FROM a\n")
    assert sql_text.query("(SELECT 1) UNION (SELECT 2)", "mysql") == "(SELECT 1) UNION (SELECT 2)\n"
    for text in ("DELETE FROM a", "SELECT 1; SELECT 2", "SHOW TABLES"):
        with pytest.raises(Refused, match="--query"):
            sql_text.query(text, "mysql")


@pytest.mark.parametrize("text, found", [
    ("orders", ["", "orders"]), ("order-items", ["", "order-items"]), ("2024_sales", ["", "2024_sales"]), ("public.2024-q1", ["public", "2024-q1"]),
    ('"2024.q1"', ["", "2024.q1"]), ('sales."a ""b"""', ["sales", 'a "b"']), ("`a b`.`c``d`", ["a b", "c`d"]), ("größe", ["", "größe"]), ("a$1", ["", "a$1"]),
])
def test_tables_have_the_names_that_people_give_them(text, found):
    assert sql_text.table(text) == found


@pytest.mark.parametrize("text", ["a b", "a;b", "a.b.c", '"a', "a.", ".a", "", 'a"b"', "a'b"])
def test_what_is_no_name_of_a_table_says_how_to_quote(text):
    with pytest.raises(Refused, match="double quotes"):
        sql_text.table(text)


def test_columns():
    assert sql_text.columns(["id, unit-price", '"a,b"', "2024"]) == ["id", "unit-price", "a,b", "2024"] and sql_text.columns([]) == [] == sql_text.columns([""])
    assert sql_text.columns("id,n") == ["id", "n"]
    with pytest.raises(Refused, match="'b c' is not a valid column name"):
        sql_text.columns(["a,b c"])


@pytest.mark.parametrize("text, found", [("Decimal(12, 2)", "decimal(12,2)"), ("numeric(5)", "decimal(5,0)"), ("INTEGER", "int"), ("varchar(40)", "string"), ("timestamp_ntz",) * 2])
def test_types_of_spark(text, found):
    assert jdbc_types.wanted(text) == found


@pytest.mark.parametrize("text", ["decimal(39,2)", "decimal(3,5)", "number", "map<int,int>", "strin"])
def test_what_spark_has_no_type_for(text):
    with pytest.raises(ValueError, match="expected string"):
        jdbc_types.wanted(text)


def test_decimals_of_databases():
    assert [jdbc_types.decimal_of(Column(2, "numeric", *row)) for row in ((10, 2), (3, 2046), (3, 5), (0, 0), (65, 30), (38, 38))] == \
        [(10, 2), (5, 0), (5, 5), None, None, (38, 38)]


@pytest.mark.parametrize("message, step", [
    ("SQLInvalidAuthorizationSpecException: (conn=5) Access denied for user 'shop'@'10.0.0.2' (using password: YES)", "EMR_DB_PASSWORD"),
    ('PSQLException: FATAL: password authentication failed for user "shop"', "EMR_DB_PASSWORD"),
    ("SQLException: RSA public key is not available client side (option serverRsaPublicKeyFile not set)", "--tls"),
    ("SQLTransientConnectionException: (conn=7) Connections using insecure transport are prohibited while --require_secure_transport=ON.", "--tls"),
    ("SQLNonTransientConnectionException: Socket fail to connect to 10.0.0.9:3306. Connection refused", "db:3306/shop"),
    ("SQLSyntaxErrorException: (conn=8) Unknown database 'shp'", "database's name"), ("PSQLException: The server does not support SSL.", "leave out --tls"),
    ("AccessControlException: Permission denied: user=emr, access=WRITE, inode=\"/\":hdfs:hadoop:drwxr-xr-x", "may write"),
])
def test_what_a_database_says_comes_with_the_next_step(message, step):
    found = jdbc_errors.said(message, "db:3306/shop")
    assert step in found.split(". Next: ")[1] and "Exception" not in found and "conn=" not in found
