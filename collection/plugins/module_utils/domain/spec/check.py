"""Checks a tree of Items against the schema and returns plain values. Collects every problem, stops at none."""
from __future__ import annotations

import re

from ..config import keys as config_keys
from ..errors import SpecError, SpecProblem
from ..text import credential_words, durations
from ..text.names import instead, listed
from .field import QUEUE_NAME, USER_NAME, Field
from .reader import Item

BAD = object()
GROUP_NAME = r"[a-z][a-z0-9-]{0,18}[a-z0-9]|[a-z]"
# form of a map -> pattern of its names, in words, example
NAMES = {"queues": (QUEUE_NAME, "up to 40 lower-case letters, digits, - and _, with a letter first", "analysts"),
         "receivers": (r"[a-z][a-z0-9-]{0,39}", "up to 40 lower-case letters, digits and hyphens, with a letter first", "ops"),
         "users": (USER_NAME, "up to 32 lower-case letters, digits, - and _, with a letter or _ first", "alice")}
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
_WORDS = {"int": "a whole number", "number": "a number", "bool": "true or false", "text": "text", "list": "a list",
          "object": "a mapping", "map": "a mapping", "config": "a mapping"}
_PASSWORD_KEYS = ("password", "passwd", "access_key_id", "access_key_secret", "access_key", "secret")


def example_of(field: Field, path: str) -> str:
    """YAML that a reader may copy: the key with an example, or only that inside a list."""
    name = path.rsplit(".", 1)[-1]
    return f"{name}: {field.example}" if field.example and not path.endswith("]") else field.example


class Checker:
    """Walks Items along Fields. ``problems`` holds what was wrong, ``odd`` what somebody else's YAML may have changed, for a warning."""

    def __init__(self, source: str):
        self.source, self.problems, self.lines, self.odd = source, [], {}, []

    def doubt(self, item: Item, path: str) -> None:
        """Note a number or truth value where a text may have been meant; in YAML text (which has lines) the words are known."""
        if item.line is None and item.kind in ("int", "float", "bool"):
            self.odd.append(f"{path}: {item.describe()}: if something else was written (0123, 0x1F, 12:30:45, 1.50, yes), quote it, or give "
                            "the whole as text or as a file")

    def problem(self, key: str, message: str, remedy: str, line) -> None:
        self.problems.append(SpecProblem(key or "spec", message, remedy, line, self.source))

    def document(self, field: Field, item: Item, begin: str, odd: list | None = None):
        """The plain value of a whole document, or BAD; ``odd`` is filled. Raises SpecError for what is not a mapping, telling how to ``begin``."""
        if item.kind != "map":
            self.problem("", f"found {item.describe()}, expected a mapping of keys and values", f"Begin with {begin}", item.line)
            raise SpecError(self.problems)
        value = self.check(field, item, "")
        if odd is not None:
            odd += self.odd
        return value

    def tell(self, value) -> None:
        """Raises SpecError with every problem in order of lines, if there is any or the document's value is BAD."""
        if self.problems or value is BAD:
            raise SpecError(sorted(self.problems, key=lambda p: p.line or 0))

    def check(self, field: Field, item: Item, path: str):
        """The plain value of ``item``, or BAD after noting why not."""
        self.lines[path] = item.line
        if field.single and item.kind == "str":
            item = Item("list", [item], item.line)
        if item.kind == "null" and field.default is None:
            return None
        value = getattr(self, "_" + field.kind)(field, item, path)
        return value

    def wrong_type(self, field: Field, item: Item, path: str):
        """Notes a value of the wrong type."""
        expect = _WORDS[field.kind] + (f": {field.expect}" if field.expect else "")
        if field.choices and field.kind == "text":
            expect = f"one of {listed(field.choices)}"
        name, example = path.rsplit(".", 1)[-1], example_of(field, path)
        remedy = f"Write for example: {example}" if example else f"Give it {_WORDS[field.kind]}."
        if field.kind in ("int", "number", "bool") and item.kind == "str":
            plain = item.text.strip().lower()
            if field.kind != "bool" and re.match(r"^-?\d+(\.\d+)?$", plain):
                plain = plain.lstrip("0") or "0"
                remedy = f"Write the number without quotes and leading zeros: {name}: {plain}"
            elif field.kind == "bool" and plain in ("true", "false", "yes", "no"):
                remedy = f"Write it without quotes: {name}: {'true' if plain in ('true', 'yes') else 'false'}"
        elif field.kind == "text" and item.kind in ("int", "float", "bool"):
            remedy = f'If this is meant, quote it: {name}: "{item.text}"; else {remedy[0].lower() + remedy[1:]}'
        elif field.kind == "list" and item.kind in ("str", "map"):
            remedy = f"Write a list, in brackets or with a dash on each line, for example: {example}"
        self.problem(path, f"found {item.describe()}, expected {expect}", remedy, item.line)
        return BAD

    def _size(self, field: Field, size, found: str, unit: str, item: Item, path: str) -> bool:
        """Notes a size outside least..most; ``unit`` says what is counted."""
        low = field.least is not None and size < field.least
        high = field.most is not None and size > field.most
        if not (low or high):
            return True
        if field.least is not None and field.most is not None:
            bounds = f"from {field.least} to {field.most}"
        else:
            bounds = f"at least {field.least}" if low else f"at most {field.most}"
        bound = field.least if low else field.most
        advice = f"Use a value that is {'at least' if low else 'at most'} {bound}." if not unit else (
            f"{'Add some' if low else 'Remove some'}: {bound} is the {'least' if low else 'most'}"
            + (f"; for example {field.example}." if low and field.example else "."))
        self.problem(path, f"found {found}, expected {bounds}{unit}", advice, item.line)
        return False

    def _int(self, field: Field, item: Item, path: str):
        if item.kind != "int":
            return self.wrong_type(field, item, path)
        return item.value if self._size(field, item.value, item.text, "", item, path) else BAD

    def _number(self, field: Field, item: Item, path: str):
        if item.kind not in ("int", "float") or item.value != item.value:
            return self.wrong_type(field, item, path)
        return float(item.value) if self._size(field, item.value, item.text, "", item, path) else BAD

    def _bool(self, field: Field, item: Item, path: str):
        return item.value if item.kind == "bool" else self.wrong_type(field, item, path)

    def plain_text(self, text: str, path: str, line) -> bool:
        """Notes text that no value may have: control characters, templates, secrets."""
        if _CONTROL.search(text):
            self.problem(path, "a control character or line break in the text, expected one line",
                         "Write the value on one line; remove a | or > before it.", line)
        elif _TEMPLATE.search(text):
            self.problem(path, "a template is not a value: a spec is plain data",
                         "Write the value itself in place of the braces.", line)
        elif credential_words.secret_value(text):
            self.problem(path, "this looks like a credential, and a spec is stored and shown in many places",
                         config_keys.SECRET_REMEDY, line)
        else:
            return True
        return False

    def _text(self, field: Field, item: Item, path: str):
        if item.kind != "str":
            return self.wrong_type(field, item, path)
        text = item.value
        if field.choices:
            if text in field.choices:
                return text
            self.problem(path, f'found "{text[:60]}", expected one of {listed(field.choices)}',
                         instead(text, field.choices), item.line)
            return BAD
        if not self.plain_text(text, path, item.line):
            return BAD
        if field.pattern and not re.match(f"^(?:{field.pattern})$(?!\n)", text):
            self.problem(path, f"found {item.describe()}, expected {field.expect}",
                         f"Write for example: {example_of(field, path)}", item.line)
            return BAD
        shown = f"{len(text)} characters"
        if field.form != "duration" and not self._size(field, len(text), shown, " characters", item, path):
            return BAD
        return FORMS[field.form](self, field, item, path) if field.form else text

    def _list(self, field: Field, item: Item, path: str):
        if item.kind != "list":
            return self.wrong_type(field, item, path)
        values = [self.check(field.item, child, f"{path}[{i}]") for i, child in enumerate(item.value)]
        count = len(values)
        good = self._size(field, count, f"{count} entries" if count else "an empty list", " entries", item, path)
        if field.unique:
            for i, child in enumerate(item.value):
                if values[i] is not BAD and values[i] in values[:i]:
                    self.problem(f"{path}[{i}]", f"{child.describe()} occurs twice, expected once", "Delete one of the "
                                 "two.", child.line)
                    good = False
        return BAD if not good or any(v is BAD for v in values) else tuple(values)

    def _object(self, field: Field, item: Item, path: str):
        if item.kind != "map":
            return self.wrong_type(field, item, path)
        known = {f.name: f for f in field.fields}
        result, good = {}, True
        for key, line, child in item.value:
            where = f"{path}.{key}" if path else key
            if key not in known:
                self._unknown(field, key, where, line)
                good = False
                continue
            result[key] = self.check(known[key], child, where)
            good = good and result[key] is not BAD
        for name, part in known.items():
            if name in result:
                continue
            if part.required:
                where = f"{path}.{name}" if path else name
                self.problem(where, f"missing, expected {part.expect or _WORDS[part.kind]}",
                             f"Add for example: {name}: {part.example}", item.line)
                good = False
            elif part.kind == "object" and part.default == {}:
                result[name] = {f.name: f.default for f in part.fields}
            else:
                result[name] = part.default
        return result if good else BAD

    def _unknown(self, field: Field, key: str, where: str, line) -> None:
        if key.lower() in _PASSWORD_KEYS:
            self.problem(where, "credentials do not belong in a spec, which is stored and shown in many places",
                         "Remove it. Cloud keys come from ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET or the CLI's profile; "
                         "logins use a key file.", line)
        else:
            self.problem(where, "unknown key", instead(key, field.names(), field.aliases), line)

    def _map(self, field: Field, item: Item, path: str):
        if item.kind != "map":
            return self.wrong_type(field, item, path)
        good = self._size(field, len(item.value), f"{len(item.value)} entries", " entries", item, path)
        result = {}
        for key, line, child in item.value:
            where = f"{path}.{key}"
            if field.choices and key not in field.choices:
                self.problem(where, "unknown name", instead(key, field.choices, config_keys.STEM_ALIASES), line)
                good = False
            elif not self._map_key(field, key, where, line, child):
                good = False
            else:
                result[key] = self.check(field.item, child, where)
                good = good and result[key] is not BAD
        return result if good else BAD

    def _map_key(self, field: Field, key: str, where: str, line, _item) -> bool:
        if field.form == "groups" and not re.match(f"^(?:{GROUP_NAME})$(?!\n)", key):
            self.problem(where, f'"{key[:40]}" is not a name for a node group, expected up to 20 lower-case letters, digits '
                         "and hyphens, with a letter first", "Rename the group, for example to slave or night.", line)
            return False
        if field.form in NAMES and not re.match(f"^(?:{NAMES[field.form][0]})$(?!\n)", key):
            self.problem(where, f'"{key[:40]}" is not a name for a {field.form[:-1]}, expected {NAMES[field.form][1]}',
                         f"Choose a name such as {NAMES[field.form][2]}.", line)
            return False
        return _tag_key(self, key, where, line) if field.form == "tags" else True

    def _config(self, field: Field, item: Item, path: str):
        if item.kind != "map":
            return self.wrong_type(field, item, path)
        stem = path.rsplit(".", 1)[-1]
        result, good = {}, True
        for key, line, child in item.value:
            where = f"{path}.{key}"
            self.lines[where] = child.line
            value = self._config_value(stem, key, child, where, line)
            good = good and value is not BAD
            result[key] = value
        return result if good else BAD

    def _config_value(self, stem: str, key: str, item: Item, where: str, line):
        if item.kind in ("map", "list", "null"):
            remedy = f'Write one value, several joined by commas: {key}: "a,b"; an empty one as "".'
            if item.kind == "map":
                remedy = f"Write one value; the words of a name are joined by dots, for example {key}.name: value"
            self.problem(where, f"found {item.describe()}, expected one value (text, number, true or false)", remedy,
                         item.line)
            return BAD
        trouble = config_keys.check_key(stem, key)
        if trouble:
            self.problem(where, trouble[0], trouble[1], line)
            return BAD
        if not self.plain_text(item.text, where, item.line):
            return BAD
        if not config_keys.expected_type(key):
            self.doubt(item, where)
        text = ("true" if item.value else "false") if item.kind == "bool" else item.text.replace("_", "") if (
            item.kind == "int") else item.text
        trouble = config_keys.check_value(stem, key, text, item.kind)
        if trouble:
            self.problem(where, trouble[0], trouble[1], item.line)
            return BAD
        return text


def _tag_key(checker: Checker, key: str, where: str, line) -> bool:
    """Whether ECS and the project accept this tag name."""
    low = key.lower()
    if low.startswith("emr:"):
        trouble = ("the prefix emr: is the project's own", "Choose another name for the tag.")
    elif low.startswith(("aliyun", "acs:")):
        trouble = ("the prefixes aliyun and acs: are reserved by Alibaba Cloud", "Choose another name for the tag.")
    elif "http://" in low or "https://" in low:
        trouble = ("ECS refuses addresses in tag names", "Choose a name without http:// and https://.")
    elif not 1 <= len(key) <= 128 or _CONTROL.search(key) or _TEMPLATE.search(key):
        trouble = ("expected a name of 1 to 128 plain characters", "Choose a short name such as team.")
    elif credential_words.secret_key(key):
        trouble = ("tags are readable by everybody in the account, and this is named like a credential",
                   "Remove the tag.")
    else:
        return True
    checker.problem(where, trouble[0], trouble[1], line)
    return False


# The networks of which VPCs are made.
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


def _tag_value(checker: Checker, field: Field, item: Item, path: str):
    """A tag's value that ECS and VPC accept."""
    low = item.value.lower()
    if "http://" in low or "https://" in low:
        trouble = ("ECS refuses addresses in the values of tags", "Write it without http:// and https://.")
    elif low.startswith(("aliyun", "acs:")):
        trouble = ("values that begin with aliyun or acs: are reserved by Alibaba Cloud", "Write another value.")
    else:
        return item.value
    checker.problem(path, *trouble, item.line)
    return BAD


def _cidr(checker: Checker, field: Field, item: Item, path: str):
    """A network, neither everything nor nearly everything."""
    import ipaddress

    text = item.value
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        checker.problem(path, f'found "{text[:60]}", expected {field.expect}', "Write your own address with /32, or your "
                        "office's network, for example: 203.0.113.0/24", item.line)
        return BAD
    if "/" not in text:
        checker.problem(path, f'found the single address "{text}", expected {field.expect}',
                        f"Write {network} if only this address may log in.", item.line)
        return BAD
    if network.prefixlen < (8 if network.version == 4 else 16):
        checker.problem(path, f"{text} admits {'the whole internet' if network.prefixlen == 0 else 'far too much'}, "
                        "expected your own networks", "Name the addresses that need SSH, for example your own with /32: "
                        "open Hadoop clusters are found and misused within hours.", item.line)
        return BAD
    if str(network.network_address) != str(ipaddress.ip_address(text.split("/")[0])):
        single = f"{text.split('/')[0]}/{network.max_prefixlen}"
        checker.problem(path, f"{text} is an address inside a network, expected the network itself",
                        f"Write {network} for the network, or {single} for this one address.", item.line)
        return BAD
    return str(network)


def _url(checker: Checker, field: Field, item: Item, path: str):
    """An http(s) address without credentials, or a place in OSS."""
    text = item.value
    if not (re.match(r"^https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~%/+@-]*)?$", text)
            or re.match(r"^oss://[a-z0-9][a-z0-9-]{1,61}[a-z0-9](/[A-Za-z0-9._~+@=-]+)*/?$", text)):
        checker.problem(path, f'found "{text[:80]}", expected {field.expect} without user, spaces or parameters',
                        f"Write for example: {field.example}", item.line)
        return BAD
    return text.rstrip("/")


def _path(checker: Checker, field: Field, item: Item, path: str):
    """A path of a file; nothing is looked up, since other machines read the spec too."""
    if item.value != item.value.strip() or item.value.endswith("/"):
        checker.problem(path, f"found {item.describe()}, expected {field.expect}", f"Write for example: {example_of(field, path)}",
                        item.line)
        return BAD
    return item.value


def _duration(checker: Checker, field: Field, item: Item, path: str):
    """A number with one unit; ``least`` and ``most`` of the field are seconds."""
    try:
        length = durations.seconds(item.value)
    except ValueError:
        checker.problem(path, f"found {item.describe()}, expected {field.expect}: a number with s, m, h or d",
                        f"Write for example: {example_of(field, path)}", item.line)
        return BAD
    if field.least <= length <= field.most:
        return item.value
    checker.problem(path, f"found {item.describe()}, expected from {durations.words(field.least)} to "
                    f"{durations.words(field.most)}", f"Write for example: {example_of(field, path)}", item.line)
    return BAD


def _private_cidr(checker: Checker, field: Field, item: Item, path: str):
    """The addresses of a VPC or a vSwitch: what ECS offers for them."""
    import ipaddress

    try:
        network = ipaddress.IPv4Network(item.value)
    except ValueError:
        network = None
    if network is None or not any(network.subnet_of(ipaddress.IPv4Network(n)) for n in PRIVATE) or network.prefixlen > 28:
        checker.problem(path, f'found "{item.value[:60]}", expected {field.expect}', f"Write a network inside {', '.join(PRIVATE)}, "
                        f"with at least 16 addresses, for example: {field.example}", item.line)
        return BAD
    return str(network)


FORMS = {"private_cidr": _private_cidr, "cidr": _cidr, "tag_value": _tag_value, "url": _url, "path": _path, "duration": _duration}
