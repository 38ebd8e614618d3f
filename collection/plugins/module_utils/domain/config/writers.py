"""Texts in other programs' file formats: one writer for each, which knows what the format cannot say.

A writer returns a text that its program reads back as what was given, or raises Unwritable with the reason. Nothing else makes such
files of what people write.
"""
from __future__ import annotations

import re

from ..errors import Refused
from ..resident.files import NOTE

# Characters that XML 1.0 has no way to write, not even as a reference. Hadoop passes settings on as XML 1.0 whatever it has read.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_PLAIN_PROPERTY = re.compile(r"[!-~]")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:-]*[A-Za-z0-9])?")
_ESCAPED = re.compile(r"\\(u[0-9a-fA-F]{4}|\r\n|.)", re.DOTALL)
# The names that GenericOptionsParser, Spark and YARN take through lists with commas, URIs and class paths as they are.
_LISTED = re.compile(r"[^\s,:;%\\^`{}|\"'<>\[\]?*#]+")


class Unwritable(Refused):
    """A text that the format of a file cannot hold."""


def shown(text: str) -> str:
    """A text for a message: its beginning, on one line."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def xml_text(text: str) -> str:
    """Text as the content of an XML element."""
    wrong = _NOT_XML.search(text)
    if wrong:
        raise Unwritable(f"{shown(text)} has the character U+{ord(wrong.group()):04X}, which XML cannot hold",
                         "Write it in the way that the program itself offers, such as an escape of its own or a number")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")  # a parser makes a line feed of the character itself


def site_properties(settings) -> str:
    """The rows of a Hadoop *-site.xml file."""
    return "".join(f"  <property><name>{_named(key, key)}</name><value>{_named(key, str(value))}</value></property>\n"
                   for key, value in settings.items())


def _named(key: str, text: str) -> str:
    try:
        return xml_text(text)
    except Unwritable as error:
        raise Unwritable(f"{key}: {error.message}", error.remedy) from None


def site_xml(settings) -> str:
    """A Hadoop *-site.xml file."""
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + f"<!-- {NOTE} -->\n<configuration>\n"
            + site_properties(dict(sorted(settings.items()))) + "</configuration>\n")


def with_site_properties(text: str, settings) -> str:
    """The text of a *-site.xml file with more settings, which win over those before."""
    head, end, rest = text.rpartition("</configuration>")
    return head + site_properties(settings) + end + rest


def property_lines(settings) -> str:
    """Lines ``key value`` as Java's Properties reads them."""
    return "".join(f"{_property_key(key)} {_property_value(str(value))}\n" for key, value in settings.items())


def properties(settings) -> str:
    """A file of such lines."""
    return f"# {NOTE}\n{property_lines(dict(sorted(settings.items())))}"


def _property_key(text: str) -> str:
    return "".join(f"\\{c}" if c in "=:#!\\ " else _property_char(c) for c in text)


def _property_value(text: str) -> str:
    # A blank, = or : that begins a value would count as part of what separates it from its key.
    lead = "\\" if text[:1] in (" ", "\t", "=", ":") else ""
    return lead + "".join("\\\\" if c == "\\" else _property_char(c) for c in text)


def spark_value(key: str, text: str) -> str:
    """A value of one of Spark's own files. Java reads blanks at its ends, and Spark takes them off again."""
    if text != text.strip(" \t\f"):
        raise Unwritable(f"{key}: {shown(text)} begins or ends with a blank, and Spark takes those off what its files say",
                         f"Give it to the program among its own arguments, as --conf '{key}=…'")
    return text


def _property_char(char: str) -> str:
    if _PLAIN_PROPERTY.match(char) or char in " \t":
        return char
    if "\ud800" <= char <= "\udfff":
        raise Unwritable(f"{char!r} is not a character", "Write UTF-8")
    raw = char.encode("utf-16-be")
    return "".join(f"\\u{raw[at]:02x}{raw[at + 1]:02x}" for at in range(0, len(raw), 2))


def read_property(text: str) -> str:
    """A key or value of such a line as Java reads it."""
    def one(match) -> str:
        found = match.group(1)
        if len(found) == 5:
            return chr(int(found[1:], 16))
        return {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}.get(found, "" if found[0] in "\r\n" else found)

    plain = _ESCAPED.sub(one, text)
    # Two escapes make one character beyond the first 65,536.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def shell_word(text: str) -> str:
    """Text as one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def exports(settings) -> list:
    """Lines of a shell script that set variables."""
    return [f"export {key}={shell_word(str(value))}" for key, value in sorted(settings.items())]


def environment_file(settings) -> str:
    """An EnvironmentFile of systemd. What needs no quotes gets none, so that files of older versions stay as they are."""
    return "".join(f"{key}={_environment_value(key, str(value))}\n" for key, value in sorted(settings.items()))


def _environment_value(key: str, text: str) -> str:
    if "\n" in text or "\0" in text:
        raise Unwritable(f"{key}: {shown(text)} has several lines", "Write it on one line")
    if re.fullmatch(r"[\w./:=@+,-]*", text):
        return text
    return '"' + re.sub(r'(["\\$`])', r"\\\1", text) + '"'


def host_name(text: str) -> str:
    """A name as /etc/hosts, the lists of nodes and Hadoop's addresses take it."""
    if not _HOST.fullmatch(text):
        raise Unwritable(f"{shown(text)} is not a valid host name: hosts files and Hadoop's lists of nodes cannot hold it",
                         "Name the host with letters, digits, dots and hyphens")
    return text


def node_list(names) -> str:
    """A file with one host a line, such as workers and dfs.hosts."""
    return "".join(f"{host_name(name)}\n" for name in sorted(names))


def hosts_lines(rows) -> list:
    """Lines of /etc/hosts. ``rows``: {address, name}."""
    return [f"{host_name(row['address'])} {host_name(row['name'])}" for row in rows]


def listed(name: str) -> str:
    """A file's name as an entry of the lists with commas by which Hadoop and Spark ship files."""
    if not _LISTED.fullmatch(name):
        raise Unwritable(f"{shown(name)}: Hadoop and Spark cannot ship a file of this name: they keep files in lists with commas, as addresses",
                         "Rename the file, without blanks, commas, colons, quotes, brackets and the signs # % * ? \\ |")
    return name
