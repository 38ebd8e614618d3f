"""Take secrets out of text before it leaves a machine. Line by line: size does not matter.

What is masked: values of keys that name a secret (in XML, JSON, YAML, properties, environment, command lines, URLs),
access key ids and tokens by their form, Authorization headers, and the bodies of private keys. A masked value is
MASK, so that one can still see that something was set.
"""
from __future__ import annotations

import re

MASK = "***"
# Longer lines are cut: no log needs them, and patterns take their time.
LONGEST = 32768
_WORDS = (r"pass(?:word|wd|phrase)?|secret|token|credential|private[._-]?key|access[._-]?key(?:[._-]?id)?|"
          r"account[._-]?key|api[._-]?key|signature|keytab[._-]?password|security[._-]?token|sas")
# A key that names a secret, however it is put together: fs.oss.accessKeySecret, MYSQL_PASSWORD, --db-password. The
# bounds keep a hostile line from taking quadratic time.
_KEY = rf"[\w.\-]{{0,80}}?(?:{_WORDS})[\w.\-]{{0,60}}"
# These have such a word in their name and hold no secret.
_HARMLESS = re.compile(
    r"(?i)(?:(?:provider|path|file|class|type|enabled?|interval|period|renewer?|lifetime|length|alias|size|count|max|"
    r"min|ms|seconds|dir|url|bits|mode|kind|service|manager|algorithm|number|num|timeout|expiry|expire[sd]?|id_rsa\.pub)|"
    r"token[._-](?:master|ident|real).*|.*delegation[._-]token[._-](?:max|renew|update|always).*)$")
_XML = re.compile(rf"(?i)(<name>\s*({_KEY})\s*</name>\s*<value>)([^<]*)(</value>)")
_QUOTED = re.compile(rf"""(?i)(["']({_KEY})["']\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_OPTION = re.compile(rf"(?i)((?:^|\s)--?({_KEY})(?:\s+|=))(\"[^\"]*\"|'[^']*'|[^\s\"']+)")
_PLAIN = re.compile(rf"""(?i)(?<![\w.\-"'<])(({_KEY})\s*(?:=|:(?!//)\s)\s*)("[^"]*"|'[^']*'|[^\s,;&"'<>]+)""")
_PROPERTY = re.compile(rf"(?i)^(\s*({_KEY})[ \t]+)(\S.*)$")
_URL = re.compile(r"(\b[a-zA-Z][\w+.\-]{0,30}://)([^\s/:@]{0,200}):([^\s@]{1,500})@")
_HEADER = re.compile(r"(?i)\b((?:proxy-)?authorization|x-(?:acs|oss|amz)-security-token|cookie|set-cookie)"
                     r"(\s*[:=]\s*)(.+)$")
# Ids of Alibaba Cloud (LTAI, STS.), Amazon (AKIA, ASIA), and JSON web tokens.
_SHAPES = re.compile(r"\b(?:LTAI[0-9A-Za-z]{8,}|STS\.[0-9A-Za-z]{10,}|A[KS]IA[0-9A-Z]{12,}|"
                     r"eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*)")
# Most lines have nothing of all this; only the others are worth the rest.
_SUSPECT = re.compile(rf"(?i)(?:{_WORDS})|://|LTAI|STS\.|A[KS]IA|eyJ|authorization|cookie|-----BEGIN|<value>")
_BEGIN = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----")


class Masker:
    """Masks the lines of one text, in order: the body of a private key spans several, an XML property may."""

    def __init__(self, known=()):
        """``known``: secrets that the caller knows and that must not appear whatever stands around them."""
        self.known = sorted({word for word in known if word and len(word) >= 6}, key=len, reverse=True)
        self.inside = False
        self.name = ""

    def line(self, text):
        """One line without its secrets; its line end stays."""
        if len(text) > LONGEST:
            text = f"{text[:LONGEST]}… ({len(text)} characters){chr(10) if text.endswith(chr(10)) else ''}"
        if self.inside:
            if _END.search(text):
                self.inside = False
                return text
            return MASK + "\n" if text.endswith("\n") else MASK
        for word in self.known:
            text = text.replace(word, MASK)
        if not _SUSPECT.search(text):
            return text
        begin = _BEGIN.search(text)
        if begin:
            self.inside = not _END.search(text, begin.end())
            return text[:begin.end()] + MASK + ("\n" if text.endswith("\n") else "")
        return self._keys(_SHAPES.sub(MASK, _URL.sub(rf"\1\2:{MASK}@", text)))

    def _keys(self, text):
        body = text.rstrip("\r\n")
        end = text[len(body):]
        body = self._split_property(body)
        body = _XML.sub(lambda m: m.group(0) if _harmless(m.group(2)) else m.group(1) + MASK + m.group(4), body)
        body = _HEADER.sub(lambda m: m.group(1) + m.group(2) + MASK, body)
        for pattern in (_QUOTED, _OPTION, _PLAIN, _PROPERTY):
            body = pattern.sub(_masked, body)
        return body + end

    def _split_property(self, body):
        """XML with name and value on lines of their own."""
        value = re.search(r"(<value>)([^<]*)", body)
        if self.name and value and "<name>" not in body:
            if not _harmless(self.name):
                body = body[:value.start(2)] + MASK + body[value.end(2):]
            self.name = ""
            return body
        name = re.search(rf"(?i)<name>\s*({_KEY})\s*</name>", body)
        if name and "<value>" not in body:
            self.name = name.group(1)
        elif "</property>" in body:
            self.name = ""
        return body


def mask(text, known=()):
    """A whole text without its secrets."""
    masker = Masker(known)
    return "".join(masker.line(line) for line in text.splitlines(keepends=True))


def _harmless(key):
    return bool(_HARMLESS.search(key))


def _masked(match):
    key, value = match.group(2), match.group(3)
    if _harmless(key) or value.strip("\"'") in ("", MASK, "true", "false", "null", "None", "{", "[", "|", ">"):
        return match.group(0)
    quote = value[0] if value[0] in "\"'" else ""
    return match.group(1) + quote + MASK + quote
