"""An official download, as publishers hand it out: a compiled Schematron, alone, in a folder or in a ZIP (or JAR).

Finds the one stylesheet that is meant, the code lists it looks values up in, and what its own words tell: version,
syntaxes, layer. Nothing is run here. A raw Schematron (.sch) is refused: turning it into a stylesheet is the
publisher's step, and the two compilers in use differ in what they make of it.
"""

import hashlib
import re
import zipfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar, Final

from lxml import etree

from schematron.rule_set import RuleSetError

LARGEST: Final = 64 << 20
"""Bytes of one file that are read; the largest published stylesheet has 1.5 MB."""

XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"
SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
SOURCE: Final = "{http://purl.oclc.org/dsdl/schematron}schema"
CODE_LIST: Final = re.compile(r"document\('([^']+)'\)")
VERSION: Final = re.compile(rb"[Ss]chematron version ([0-9][0-9A-Za-z.]*)")
SYNTAX_MARKS: Final = {
    "CrossIndustryInvoice": ("cii", "factur-x", "json"),
    "Invoice": ("ubl-invoice",),
    "CreditNote": ("ubl-credit-note",),
    "CrossDomainAcknowledgementAndResponse": ("cdar",),
}
"""Name of a root element to the syntaxes whose documents have it (JSON is judged as the CII it is sent as)."""

LAYER_MARKS: Final = (("BR-FR-CDV-", "cdar"), ("BR-FREXT-", "extended"), ("BR-FR-", "br-fr"), ("BR-", "en16931"))
"""Beginning of rule ids to the layer they belong to; the first that occurs decides."""


class Unusable(RuleSetError):
    """A download that cannot become a rule set. `code` names the reason for programs."""

    code: ClassVar[str] = "unusable"


class NotSchematron(Unusable):
    """No stylesheet made from a Schematron."""

    code = "not-a-schematron-stylesheet"


class SchematronSource(Unusable):
    """A Schematron that is not compiled yet."""

    code = "schematron-not-compiled"


class SeveralStylesheets(Unusable):
    """More than one stylesheet, and nothing says which."""

    code = "several-stylesheets"


class HashDiffers(Unusable):
    """Not the file that was announced."""

    code = "hash-differs"


class FileMissing(Unusable):
    """The download lacks the file that was named, or one that the stylesheet looks values up in."""

    code = "file-missing"


class TooLarge(Unusable):
    """No rule set is that large."""

    code = "too-large"


@dataclass(frozen=True, slots=True)
class Official:
    """A compiled Schematron and what it says of itself."""

    name: str
    """File name, without folders."""

    stylesheet: bytes
    code_lists: dict[str, bytes]
    """By the name that the stylesheet calls them."""

    version: str
    """`unknown` where it says nothing."""

    syntaxes: tuple[str, ...]
    layer: str | None
    """What its rule ids suggest; None where they suggest nothing."""

    @property
    def sha256(self) -> str:
        """Of the stylesheet."""
        return hashlib.sha256(self.stylesheet).hexdigest()


def open_download(path: Path, *, member: str | None, sha256: Collection[str]) -> Official:
    """The stylesheet of a download.

    In a folder or ZIP the one named `member`, else the one with a hash of `sha256`, else the only one that is a
    compiled Schematron.

    Raises:
        Unusable: one of its kinds; the text says what to do.
        OSError: the file cannot be read.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    files = _Files(path)
    if member is not None:
        return _official(member, files)
    names = [name for name in files.names if PurePosixPath(name).suffix.lower() in {".xslt", ".xsl"}] or files.names
    if len(names) == 1:
        return _official(names[0], files)
    announced = [name for name in names if hashlib.sha256(files.read(name)).hexdigest() in sha256]
    fitting = announced[:1] or [name for name in names if _is_schematron(files.read(name))]
    if not fitting:
        raise NotSchematron(f"{path} holds no compiled Schematron (XSLT that writes SVRL)")
    if len(fitting) > 1:
        raise SeveralStylesheets(f"{path} holds {len(fitting)} stylesheets; name one: {', '.join(fitting)}")
    return _official(fitting[0], files)


class _Files:
    """The files of a download: a single file with its neighbours, a folder, or a ZIP."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._zip = zipfile.ZipFile(path) if path.is_file() and zipfile.is_zipfile(path) else None
        if self._zip is not None:
            self.names = [each.filename for each in self._zip.infolist() if not each.is_dir()]
        elif path.is_dir():
            self.names = sorted(each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file())
        else:
            self.names = [path.name]

    def read(self, name: str) -> bytes:
        """One file. Raises FileMissing where there is none, TooLarge."""
        try:
            if self._zip is not None:
                with self._zip.open(name) as inside:
                    content = inside.read(LARGEST + 1)
            else:
                folder = self._path if self._path.is_dir() else self._path.parent
                with (folder / name).open("rb") as file:
                    content = file.read(LARGEST + 1)
        except (KeyError, FileNotFoundError) as missing:
            raise FileMissing(f"{self._path} has no file {name}") from missing
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as broken:
            raise NotSchematron(f"{self._path}: {name} cannot be unpacked: {broken}") from broken
        if len(content) > LARGEST:
            raise TooLarge(f"{name} has more than {LARGEST} bytes")
        return content


def _official(name: str, files: _Files) -> Official:
    stylesheet = files.read(name)
    root = _parsed(stylesheet, name)
    if root.tag == SOURCE:
        raise SchematronSource(
            f"{name} is a Schematron that is not compiled: give the compiled stylesheet (.xslt) of the same download"
        )
    if not _writes_findings(root):
        raise NotSchematron(f"{name} is no stylesheet made from a Schematron: it writes no findings (SVRL)")
    folder = PurePosixPath(name).parent
    lists = sorted({found for e in root.iter(etree.Element) for found in CODE_LIST.findall(e.get("test", ""))})
    if any("/" in each or "\\" in each for each in lists):
        raise NotSchematron(f"{name} looks values up outside of its folder: {', '.join(lists)}")
    version = VERSION.search(stylesheet[:4096])
    return Official(
        name=PurePosixPath(name).name,
        stylesheet=stylesheet,
        code_lists={each: files.read((folder / each).as_posix()) for each in lists},
        version=version.group(1).decode() if version else "unknown",
        syntaxes=_syntaxes(root),
        layer=_layer(root),
    )


def _parsed(content: bytes, name: str) -> etree._Element:
    try:
        return etree.fromstring(content, etree.XMLParser(no_network=True, resolve_entities=False))
    except etree.XMLSyntaxError as error:
        raise NotSchematron(f"{name} is no XML: {error}") from error


def _is_schematron(content: bytes) -> bool:
    try:
        return _writes_findings(_parsed(content, ""))
    except NotSchematron:
        return False


def _writes_findings(root: etree._Element) -> bool:
    written = root.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report")
    return root.tag in {f"{XSL}stylesheet", f"{XSL}transform"} and next(written, None) is not None


def _syntaxes(root: etree._Element) -> tuple[str, ...]:
    """The syntaxes whose root elements the patterns name."""
    patterns = " ".join(template.get("match", "") for template in root.iter(f"{XSL}template"))
    named = set(re.findall(r"(?<![\w-])[\w-]+:([A-Z]\w+)", patterns))
    return tuple(syntax for mark, syntaxes in SYNTAX_MARKS.items() if mark in named for syntax in syntaxes)


def _layer(root: etree._Element) -> str | None:
    ids = _ids(root)
    return next((layer for mark, layer in LAYER_MARKS if any(each.startswith(mark) for each in ids)), None)


def _ids(root: etree._Element) -> Iterable[str]:
    return [
        (attribute.text or "").strip()
        for finding in root.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report")
        for attribute in finding.findall(f"{XSL}attribute[@name='id']")
    ]
