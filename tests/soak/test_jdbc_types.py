"""Every type of MariaDB and PostgreSQL with its edges, through the real program of imports and exports, real Spark and real databases.

TYPES is docs/data/rds.md's table with values; what Spark's types do not hold is refused with what to do, and arrives as text when asked.
"""
from __future__ import annotations

import re

import pytest

from tests.jdbc_bed import bed as new_bed
from tests.lab import REPO

pytestmark = pytest.mark.soak
BIG = "x" * 1_000_000
# (type as docs/data/rds.md names it, declaration, Spark's type, [(SQL, text of Spark)])
MYSQL = [
    ("TINYINT", "TINYINT", "tinyint", [("-128", "-128"), ("127", "127")]),
    ("TINYINT UNSIGNED", "TINYINT UNSIGNED", "smallint", [("0", "0"), ("255", "255")]),
    ("TINYINT(1)", "TINYINT(1)", "boolean", [("0", "false"), ("1", "true")]),
    ("BOOLEAN", "BOOLEAN", "boolean", [("FALSE", "false"), ("TRUE", "true")]),
    ("SMALLINT", "SMALLINT", "smallint", [("-32768", "-32768"), ("32767", "32767")]),
    ("SMALLINT UNSIGNED", "SMALLINT UNSIGNED", "int", [("0", "0"), ("65535", "65535")]),
    ("MEDIUMINT", "MEDIUMINT", "int", [("-8388608", "-8388608"), ("8388607", "8388607")]),
    ("MEDIUMINT", "MEDIUMINT UNSIGNED", "int", [("0", "0"), ("16777215", "16777215")]),
    ("INT", "INT", "int", [("-2147483648", "-2147483648"), ("2147483647", "2147483647")]),
    ("INT UNSIGNED", "INT UNSIGNED", "bigint", [("0", "0"), ("4294967295", "4294967295")]),
    ("INT UNSIGNED", "INT(5) ZEROFILL", "bigint", [("42", "42"), ("4294967295", "4294967295")]),
    ("BIGINT", "BIGINT", "bigint", [("-9223372036854775808", "-9223372036854775808"), ("9223372036854775807", "9223372036854775807")]),
    ("BIGINT UNSIGNED", "BIGINT UNSIGNED", "decimal(20,0)", [("0", "0"), ("18446744073709551615", "18446744073709551615")]),
    ("FLOAT", "FLOAT", "float", [("16777217", "1.6777216E7"), ("-3.40282e38", "-3.40282E38"), ("0.1", "0.1")]),
    ("DOUBLE", "DOUBLE", "double", [("0.1", "0.1"), ("-1.7976931348623157e308", "-1.7976931348623157E308"), ("5e-324", "4.9E-324")]),
    ("DECIMAL(p,s)", "DECIMAL(10,2)", "decimal(10,2)", [("-99999999.99", "-99999999.99"), ("0.01", "0.01")]),
    ("DECIMAL(p,s)", "DECIMAL(38,10)", "decimal(38,10)", [("9999999999999999999999999999.9999999999",) * 2, ("0.0000000001",) * 2]),
    ("DECIMAL(p,s)", "DECIMAL(20,4) UNSIGNED", "decimal(20,4)", [("0", "0.0000"), ("9999999999999999.9999",) * 2]),
    ("BIT(1)", "BIT(1)", "boolean", [("b'0'", "false"), ("b'1'", "true")]),
    ("BIT(n)", "BIT(8)", "bigint", [("b'0'", "0"), ("b'11111111'", "255")]),
    ("BIT(n)", "BIT(63)", "bigint", [("0", "0"), ("9223372036854775807", "9223372036854775807")]),
    ("BIT(64)", "BIT(64)", "decimal(20,0)", [("0", "0"), ("~0", "18446744073709551615")]),
    ("DATE", "DATE", "date", [("'0001-01-01'", "0001-01-01"), ("'1582-10-10'", "1582-10-10"), ("'9999-12-31'", "9999-12-31")]),
    ("TIME", "TIME", "string", [("'-838:59:59'", "-838:59:59"), ("'838:59:59'", "838:59:59"), ("'-01:00:00'", "-01:00:00")]),
    ("TIME", "TIME(6)", "string", [("'00:00:00'", "00:00:00.000000"), ("'25:00:00.000001'", "25:00:00.000001")]),
    ("DATETIME", "DATETIME(6)", "timestamp_ntz", [("'0001-01-01'", "0001-01-01 00:00:00"), ("'9999-12-31 23:59:59.999999'", "9999-12-31 23:59:59.999999"),
                                                 ("'1582-10-10 00:00:01'", "1582-10-10 00:00:01")]),
    ("DATETIME", "DATETIME", "timestamp_ntz", [("'2026-03-29 02:30:00'", "2026-03-29 02:30:00")]),
    # The server's zone is eight hours before UTC.
    ("TIMESTAMP", "TIMESTAMP(6) NULL", "timestamp", [("'1970-01-01 08:00:00.000001'", "1970-01-01 00:00:00.000001"),
                                                    ("'2038-01-19 11:14:07.999999'", "2038-01-19 03:14:07.999999")]),
    ("YEAR", "YEAR", "smallint", [("1901", "1901"), ("2155", "2155"), ("0", "0")]),
    ("CHAR", "CHAR(5)", "string", [("'a  '", "a"), ("'Grü你😀'", "Grü你😀")]),
    ("VARCHAR, TEXT", "VARCHAR(20)", "string", [("''", ""), ("'a '", "a "), ("'NULL'", "NULL")]),
    ("VARCHAR, TEXT", "LONGTEXT", "string", [("REPEAT('x', 1000000)", BIG), ("'tab\\t, line\\n, \\\\N'", "tab\t, line\n, \\N")]),
    ("VARCHAR, TEXT", "VARCHAR(20) CHARACTER SET latin1", "string", [("'Grüße'", "Grüße")]),
    ("BINARY, BLOB", "BINARY(3)", "binary", [("'a'", "a\0\0")]),
    ("BINARY, BLOB", "LONGBLOB", "binary", [("''", ""), ("REPEAT('x', 1000000)", BIG)]),
    ("ENUM, SET", "ENUM('a','ü')", "string", [("'a'", "a"), ("'ü'", "ü")]),
    ("ENUM, SET", "SET('x','y')", "string", [("''", ""), ("'x,y'", "x,y")]),
    ("JSON", "JSON", "string", [("'{\"a\": [1, null]}'", '{"a": [1, null]}')]),
    ("UUID, INET4, INET6", "UUID", "string", [("'123e4567-e89b-12d3-a456-426655440000'", "123e4567-e89b-12d3-a456-426655440000")]),
    ("UUID, INET4, INET6", "INET6", "string", [("'::1'", "::1"), ("'2001:db8::ff'", "2001:db8::ff")]),
    ("UUID, INET4, INET6", "INET4", "string", [("'1.2.3.4'", "1.2.3.4")]),
]
POSTGRESQL = [
    ("boolean", "boolean", "boolean", [("false", "false"), ("true", "true")]),
    ("smallint", "smallint", "smallint", [("-32768", "-32768"), ("32767", "32767")]),
    ("integer", "integer", "int", [("-2147483648", "-2147483648"), ("2147483647", "2147483647")]),
    ("bigint", "bigint", "bigint", [("'-9223372036854775808'", "-9223372036854775808"), ("9223372036854775807", "9223372036854775807")]),
    ("oid", "oid", "bigint", [("0", "0"), ("4294967295", "4294967295")]),
    ("real", "real", "float", [("'NaN'", "NaN"), ("'-Infinity'", "-Infinity"), ("16777217", "1.6777216E7"), ("1e-45", "1.4E-45")]),
    ("double precision", "double precision", "double", [("'NaN'", "NaN"), ("'Infinity'", "Infinity"), ("0.1", "0.1"), ("5e-324", "4.9E-324")]),
    ("numeric(p,s)", "numeric(10,2)", "decimal(10,2)", [("-99999999.99", "-99999999.99"), ("0.01", "0.01")]),
    ("numeric(p,s)", "numeric(38,38)", "decimal(38,38)", [("0." + "9" * 38,) * 2]),
    ("numeric(p,s)", "numeric(3,-2)", "decimal(5,0)", [("12345", "12300"), ("-99900", "-99900")]),
    ("numeric(p,s)", "numeric(3,5)", "decimal(5,5)", [("0.00123", "0.00123")]),
    ("money", "money", "string", [("'-92233720368547758.08'", "-$92,233,720,368,547,758.08")]),
    ("char(n)", "char(5)", "string", [("'a'", "a    ")]),
    ("varchar, text", "varchar(20)", "string", [("''", ""), ("'Grüße 你好 😀'", "Grüße 你好 😀")]),
    ("varchar, text", "text", "string", [("repeat('x', 1000000)", BIG), ("E'tab\\t, line\\n, \\\\N'", "tab\t, line\n, \\N")]),
    ("varchar, text", "name", "string", [("'pg'", "pg")]),
    ("varchar, text", '"char"', "string", [("'x'", "x")]),
    ("bytea", "bytea", "binary", [("''", ""), ("'\\x6100'", "a\0")]),
    ("date", "date", "date", [("'0001-01-01'", "0001-01-01"), ("'1582-10-10'", "1582-10-10"), ("'9999-12-31'", "9999-12-31")]),
    ("time, timetz", "time", "string", [("'00:00'", "00:00:00"), ("'24:00'", "24:00:00"), ("'12:00:00.000001'", "12:00:00.000001")]),
    ("time, timetz", "timetz", "string", [("'12:00+08'", "12:00:00+08"), ("'24:00-15:59'", "24:00:00-15:59")]),
    ("timestamp", "timestamp", "timestamp_ntz", [("'0001-01-01'", "0001-01-01 00:00:00"), ("'9999-12-31 23:59:59.999999'", "9999-12-31 23:59:59.999999"),
                                                ("'1582-10-10 00:00:01'", "1582-10-10 00:00:01"), ("'2026-03-29 02:30'", "2026-03-29 02:30:00")]),
    ("timestamptz", "timestamptz", "timestamp", [("'0001-01-02 00:00+00'", "0001-01-02 00:00:00"), ("'1582-10-10 00:00+00'", "1582-10-10 00:00:00"),
                                                ("'9999-12-31 23:59:59.999999+00'", "9999-12-31 23:59:59.999999"),
                                                ("'2026-10-25 02:30:00+02'", "2026-10-25 00:30:00")]),
    ("interval", "interval", "string", [("'-1 mon 3 days 25:00'", "-1 mons +3 days 25:00:00")]),
    ("bit, varbit", "bit(4)", "string", [("'0101'", "0101")]),
    ("bit, varbit", "bit(1)", "string", [("'1'", "1")]),
    ("bit, varbit", "varbit(8)", "string", [("''", ""), ("'011'", "011")]),
    ("uuid", "uuid", "string", [("'123e4567-e89b-12d3-a456-426655440000'", "123e4567-e89b-12d3-a456-426655440000")]),
    ("json, jsonb, xml, hstore", "json", "string", [("'{\"a\" : [1, null]}'", '{"a" : [1, null]}')]),
    ("json, jsonb, xml, hstore", "jsonb", "string", [("'{\"a\" : 1e100}'", '{"a": 1' + "0" * 100 + "}")]),
    ("json, jsonb, xml, hstore", "xml", "string", [("'<a>ü</a>'", "<a>ü</a>")]),
    ("json, jsonb, xml, hstore", "hstore", "string", [("'vip=>1'", '"vip"=>"1"')]),
    ("inet, cidr, macaddr", "inet", "string", [("'10.0.0.1'", "10.0.0.1/32"), ("'::1'", "::1/128")]),
    ("inet, cidr, macaddr", "cidr", "string", [("'10.0.0.0/8'", "10.0.0.0/8")]),
    ("inet, cidr, macaddr", "macaddr", "string", [("'08:00:2b:01:02:03'", "08:00:2b:01:02:03")]),
    ("enums, composite types, ranges, geometry, tsvector", "mood", "string", [("'ok'", "ok"), ("'schön'", "schön")]),
    ("enums, composite types, ranges, geometry, tsvector", "pair", "string", [("'(1,\"a b\")'", '(1,"a b")')]),
    ("enums, composite types, ranges, geometry, tsvector", "int4range", "string", [("'[1,3)'", "[1,3)"), ("'empty'", "empty")]),
    ("enums, composite types, ranges, geometry, tsvector", "tstzrange", "string",
     [("'[2026-01-01 00:00+00,infinity)'", '["2026-01-01 00:00:00+00",infinity)')]),
    ("enums, composite types, ranges, geometry, tsvector", "int4multirange", "string", [("'{[1,3),[5,6)}'", "{[1,3),[5,6)}")]),
    ("enums, composite types, ranges, geometry, tsvector", "point", "string", [("'(1,2)'", "(1,2)")]),
    ("enums, composite types, ranges, geometry, tsvector", "tsvector", "string", [("'a b'", "'a' 'b'")]),
    ("domains", "positive", "int", [("5", "5")]),
    ("arrays of numbers, booleans, texts, uuid", "integer[]", "array<int>", [("'{1,NULL,-2147483648}'", "[1, null, -2147483648]"), ("'{}'", "[]")]),
    ("arrays of numbers, booleans, texts, uuid", "bigint[]", "array<bigint>", [("'{9223372036854775807}'", "[9223372036854775807]")]),
    ("arrays of numbers, booleans, texts, uuid", "text[]", "array<string>", [("ARRAY['a,b', '\"', NULL, '', '[x']", '[a,b, ", null, , [x]')]),
    ("arrays of numbers, booleans, texts, uuid", "boolean[]", "array<boolean>", [("'{t,f}'", "[true, false]")]),
    ("arrays of numbers, booleans, texts, uuid", "double precision[]", "array<double>", [("'{0.1,NaN,Infinity,1e300}'", "[0.1, NaN, Infinity, 1.0E300]")]),
    ("arrays of numbers, booleans, texts, uuid", "real[]", "array<float>", [("'{0.1,-Infinity}'", "[0.1, -Infinity]")]),
    ("other arrays", "numeric[]", "string", [("'{1.10,NaN}'", "{1.10,NaN}")]),
    ("other arrays", "timestamptz[]", "string", [("'{infinity}'", "{infinity}")]),
    ("other arrays", "mood[]", "string", [("'{ok}'", "{ok}")]),
]
# (declaration, SQL of the value, the same as text): refused, with the value in the message; --column-type string brings the text
REFUSED_MYSQL = [
    ("DATE", "'0000-00-00'", "0000-00-00"), ("DATE", "'2026-00-15'", "2026-00-15"), ("DATE NOT NULL", "'0000-00-00'", "0000-00-00"),
    ("DATETIME", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00"), ("TIMESTAMP NULL", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00"),
    ("TINYINT(1)", "2", "2"), ("TINYINT(1)", "-1", "-1"), ("BOOLEAN", "127", "127"),
]
REFUSED_POSTGRESQL = [
    ("numeric(10,2)", "'NaN'", "NaN"), ("date", "'infinity'", "infinity"), ("date", "'-infinity'", "-infinity"), ("date", "'0044-03-15 BC'", "0044-03-15 BC"),
    ("date", "'10000-01-01'", "10000-01-01"), ("timestamp", "'infinity'", "infinity"), ("timestamp", "'0001-12-31 23:59:59 BC'", "0001-12-31 23:59:59 BC"),
    ("timestamp", "'294276-12-31 23:59:59'", "294276-12-31 23:59:59"), ("timestamptz", "'-infinity'", "-infinity"),
    ("timestamptz", "'4714-11-24 00:00:00+00 BC'", "4714-11-24 00:00:00+00 BC"), ("integer[]", "'{{1,2},{3,4}}'", "{{1,2},{3,4}}"),
]
# (declaration, what the refusal says of the type, value, wished type, text of Spark or None: refused for the value)
DECIMALS_MYSQL = [("DECIMAL(65,30)", "decimal(65,30)", "1.123456789012345678901234567891", "string", "1.123456789012345678901234567891"),
                  ("DECIMAL(65,30)", "decimal(65,30)", "1.123456789012345678901234567891", "decimal(38,10)", None),
                  ("DECIMAL(65,30)", "decimal(65,30)", "-1.5", "decimal(38,10)", "-1.5000000000"),
                  ("DECIMAL(65,0)", "decimal(65,0)", "9" * 65, "string", "9" * 65), ("DECIMAL(65,0)", "decimal(65,0)", "9" * 65, "decimal(38,0)", None)]
DECIMALS_POSTGRESQL = [("numeric(50,20)", "numeric(50,20)", "1.12345678901234567891", "string", "1.12345678901234567891"),
                       ("numeric(50,20)", "numeric(50,20)", "1.12345678901234567891", "decimal(38,10)", None),
                       ("numeric(50,20)", "numeric(50,20)", "1.5", "decimal(38,10)", "1.5000000000"),
                       ("numeric", "numeric without a precision", "'Infinity'", "string", "Infinity"),
                       ("numeric", "numeric without a precision", "'NaN'", "decimal(38,10)", None),
                       ("numeric", "numeric without a precision", "1e-20", "double", "1.0E-20"),
                       ("numeric", "numeric without a precision", "42.00", "int", "42"), ("numeric", "numeric without a precision", "42.5", "int", None)]


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with new_bed(tmp_path_factory.mktemp("jdbc"), "emrtypes") as it:
        for text in ("CREATE EXTENSION hstore", "ALTER EXTENSION hstore SET SCHEMA public"):
            it.postgresql.sql(f"\\c shop\n{text}", admin=True)
        it.postgresql.sql("CREATE TYPE mood AS ENUM ('ok', 'schön'); CREATE TYPE pair AS (a int, b text); CREATE DOMAIN positive AS int CHECK (value > 0)")
        yield it


SYSTEMS = {"mariadb": ("mysql", MYSQL, REFUSED_MYSQL, DECIMALS_MYSQL), "postgresql": ("postgresql", POSTGRESQL, REFUSED_POSTGRESQL, DECIMALS_POSTGRESQL)}


@pytest.fixture(params=SYSTEMS)
def system(bed, request):
    """(bed, server, types, refused values, decimals)"""
    name, *rows = SYSTEMS[request.param]
    return bed, getattr(bed, name), *rows


def fill(server, table, declarations, rows):
    """A table with these columns c0, c1, … and rows of SQL, whatever the server thinks of zeros in dates."""
    loose = "SET sql_mode='';" if server.scheme == "mysql" else ""
    server.sql(f"{loose} CREATE TABLE {table} (id INT PRIMARY KEY, {', '.join(f'c{n} {text}' for n, text in enumerate(declarations))});"
               + "".join(f"INSERT INTO {table} VALUES ({number}, {', '.join(row)});" for number, row in enumerate(rows)))


def content(server, table):
    """What tells whether the table holds other values."""
    return server.sql(f"CHECKSUM TABLE {table}" if server.scheme == "mysql" else f"SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM {table} t")


def expected(types):
    """Rows of all values: the first of NULL alone, and as many as the type with the most values has."""
    most = max(len(values) for *_rest, values in types)
    return [["NULL"] * len(types)] + [[values[n % len(values)][0] for *_rest, values in types] for n in range(most)], \
        [[None] * len(types)] + [[values[n % len(values)][1] for *_rest, values in types] for n in range(most)]


def test_each_type_becomes_what_the_page_says_and_goes_back(system):
    bed, server, types, *_rest = system
    given, wanted = expected(types)
    fill(server, "every", [row[1] for row in types], given)
    found = bed.imported(server, f"every-{server.scheme}", table="every")
    assert [tuple(row) for row in found["types"][1:]] == [(f"c{n}", row[2]) for n, row in enumerate(types)]
    rows = sorted(found["rows"], key=lambda row: int(row[0]))
    for n, (name, declared, *_more) in enumerate(types):
        assert [row[n + 1] for row in rows] == [row[n] for row in wanted], f"{name}: {declared}"
    before = content(server, "every")
    done = bed.transfer("export", server, f"every-{server.scheme}", table="every", mode="overwrite")
    assert done == {"result": {"table": "every", "rows": len(given), "mode": "overwrite"}}
    assert content(server, "every") == before


@pytest.mark.parametrize("form", ["csv", "json", "orc"])
def test_each_type_comes_back_from_other_formats(system, form):
    bed, server, types, *_rest = system
    types = [row for row in types if form != "csv" or row[2] != "binary"]
    if form == "orc":  # refused: see below
        types = [(*row[:3], [value for value in row[3] if "1582" not in value[1]]) for row in types]
    given, _wanted = expected(types)
    fill(server, f"as_{form}", [row[1] for row in types], given)
    before = content(server, f"as_{form}")
    done = bed.transfer("import", server, f"{server.scheme}.{form}", table=f"as_{form}", format=form)
    assert done["result"]["rows"] == len(given), done
    done = bed.transfer("export", server, f"{server.scheme}.{form}", table=f"as_{form}", mode="overwrite")
    assert "result" in done, done
    assert content(server, f"as_{form}") == before


def test_a_value_that_spark_does_not_hold_is_refused_and_comes_as_text(system):
    bed, server, _types, refused, _decimals = system
    loose = "SET sql_mode='';" if server.scheme == "mysql" else ""
    for number, (declared, value, text) in enumerate(refused):
        server.sql(f"{loose} CREATE TABLE odd{number} (c {declared}); INSERT INTO odd{number} VALUES ({value})")
        name = f"odd{number}-{server.scheme}"
        said = bed.refused("import", server, name, table=f"odd{number}")
        shown = "[[" if "[]" in declared else text
        assert f"column c has the value {shown}" in said and "Next: --column-type 'c=string'" in said and "--except" in said, said
        assert bed.imported(server, name, table=f"odd{number}", types=["c=string"])["rows"] == [[text]]


def test_orc_has_no_day_of_the_ten_that_one_calendar_left_out(system):
    bed, server, *_rest = system
    server.sql("CREATE TABLE left_out (c DATE); INSERT INTO left_out VALUES ('1582-10-10'); CREATE TABLE kept (c DATE); "
               "INSERT INTO kept VALUES ('1582-10-04'), ('1582-10-15')")
    said = bed.refused("import", server, f"left-{server.scheme}", table="left_out", format="orc")
    assert "column c has the value 1582-10-10, which Spark's type date does not hold in ORC" in said, said
    assert sorted(bed.imported(server, f"kept-{server.scheme}", table="kept", format="orc")["rows"]) == [["1582-10-04"], ["1582-10-15"]]


def test_decimals_are_never_rounded(system):
    bed, server, *_rest, decimals = system
    for number, (declared, what, value, kind, text) in enumerate(decimals):
        server.sql(f"CREATE TABLE exact{number} (c {declared}); INSERT INTO exact{number} VALUES ({value})")
        name = f"exact{number}-{server.scheme}"
        said = bed.refused("import", server, name, table=f"exact{number}")
        assert f"column c is {what}," in said and "Next: --column-type 'c=string'" in said, said
        if text is None:
            assert f"column c has the value {value[:20].strip(chr(39))}" in bed.refused("import", server, name, table=f"exact{number}", types=[f"c={kind}"])
        else:
            found = bed.imported(server, name, table=f"exact{number}", types=[f"c={kind}"])
            assert (found["types"], found["rows"]) == ([["c", kind]], [[text]])


def test_the_page_has_a_row_for_each_type_and_no_other():
    text = (REPO / "docs/data/rds.md").read_text()
    for title, types in (("MariaDB and MySQL", MYSQL), ("PostgreSQL", POSTGRESQL)):
        table = text.split(f"### {title}\n")[1].split("\n\n")[0]
        told = {line.split("|")[1].strip().replace("`", ""): re.search(r"`([^`]+)`", line.split("|")[2])[1] for line in table.splitlines()[2:]}
        proven = {}
        for name, _declared, kind, _values in types:
            proven.setdefault(name, set()).add(re.sub(r"decimal\(\d+,\d+\)", "decimal(p,s)", kind) if "(p,s)" in name else kind)
        assert set(told) - {"geometry"} == set(proven)
        for name, kinds in proven.items():
            assert told[name] in kinds or told[name] == "array<…>", (name, told[name], kinds)
