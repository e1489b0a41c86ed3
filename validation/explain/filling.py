"""What fills the places in the words of an explanation: terms and their names, elements, categories, examples."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from validation.explain.data import data
from validation.explain.places import bare, place_of, term_at

LANGUAGES: Final = ("fr", "en")
HEAD: Final = re.compile(r"^\[?[A-Z0-9]+(?:-[A-Z0-9]+)*\]?\s*-?\s*")
ENDS_WITH: Final = re.compile(r"\*\[ends-with\(name\(\), '(\w+)'\).*")
OTHER_THAN: Final = re.compile(r"not\(not \(@(\w+)\)\) and not\(@\1='(\w+)'\)")
ELEMENT: Final = re.compile(r"\w{2,3}:")
MAIL: Final = "facturation@exemple.fr"
STEPS: Final = 4
"""So many last steps of a path name a place."""

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "example": (", par exemple {}", ", for example {}"),
    "term": (" ({}, {})", " ({}, {})"),
    "filter": (" (cas {})", " (where {})"),
    "or": (" ou ", " or "),
    "tolerance": (", à un centime près par montant additionné", ", to one cent for each amount added"),
    "place": ("{} ({})", "{} ({})"),
    "anywhere": ("la facture", "the invoice"),
    "once": ("une fois", "once"),
    "twice": ("deux fois", "twice"),
}
"""Joining words, French and English."""

_EN16931: Final = (
    "déclarez en BT-24 un profil qui l'admet, comme EN 16931 (urn:cen.eu:en16931:2017)",
    "declare a profile in BT-24 that has it, such as EN 16931 (urn:cen.eu:en16931:2017)",
)
_EXTENDED_ID: Final = "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended"
_EXTENDED: Final = (
    f"déclarez en BT-24 un profil qui l'admet, comme EXTENDED ({_EXTENDED_ID})",
    f"declare a profile in BT-24 that has it, such as EXTENDED ({_EXTENDED_ID})",
)
_NOTE: Final = ("portez-la dans une note (BT-22)", "put it into a note (BT-22)")
RICHER: Final[Mapping[str, tuple[str, str]]] = {
    "facturx-minimum": _EN16931, "facturx-basic": _EN16931, "facturx-en16931": _EXTENDED, "facturx-extended": _NOTE,
}
"""Rule set to what to do where an element that the profile has not does matter."""


@dataclass(frozen=True, slots=True)
class About:
    """What an explanation is about: the ids of a rule, its words, where it looks, in which syntax."""

    names: tuple[str, ...]
    text: str = ""
    context: str = ""
    """The XPath of the element, without positions; the context of the rule where there is no document."""

    syntax: str | None = None
    terms: tuple[str, ...] = ()


def name_of(term: str, language: int) -> str:
    """What people call a term; the term itself where nobody does."""
    entry = data("terms.toml").get(term)
    return str(entry[language]) if entry else term


def is_named(term: str) -> bool:
    """Whether people call a term anything."""
    return term in data("terms.toml")


def example_of(term: str) -> str:
    """A value that the term may have, or ""."""
    entry = data("terms.toml").get(term)
    return str(entry[2]) if entry else ""


def fill(words: Sequence[str], about: About, groups: Mapping[str, str | None], language: int) -> tuple[str, ...]:
    """The words with every place filled in. A place that nothing fills is empty."""
    if not any("{" in text for text in words):
        return tuple(words)
    found = _Places(_values(about, groups, language))
    return tuple(_tidy(text.format_map(found)) for text in words)


class _Places(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def _tidy(text: str) -> str:
    text = " ".join(text.split()).replace(" .", ".").replace("( ", "(")
    return text if ELEMENT.match(text) else text[:1].upper() + text[1:]


def _values(about: About, groups: Mapping[str, str | None], language: int) -> dict[str, str]:
    terms = about.terms
    values = {name: value or "" for name, value in groups.items()}
    for number, name in enumerate(("term_first", "term_second")):
        values[name] = terms[number] if len(terms) > number else ""
    values |= {
        "term": WORDS["or"][language].join(terms),
        "name": WORDS["or"][language].join(name_of(term, language) for term in terms[:2]),
        "example": example_of(terms[0]) if terms else "",
        "example_second": example_of(terms[1]) if len(terms) > 1 else "",
        "where": place_of(terms[0], about.syntax) if terms else "",
    }
    values["example_clause"] = _example(terms[0] if terms else "", language)
    return values | _category(groups, language) | _element(about, groups, language)


def _category(groups: Mapping[str, str | None], language: int) -> dict[str, str]:
    families = data("families.toml")
    tolerance = WORDS["tolerance"][language] if groups.get("variant") else ""
    found = {"tolerance": tolerance}
    if category := families["category"].get(groups.get("category") or ""):
        name, text = category[LANGUAGES[language]]
        rate = category["rate"]
        found |= {
            "cat": category["code"], "cat_name": name, "vatex": category["vatex"], "vatex_text": text,
            "rate": rate, "rate_or_none": rate or "—",
            "sample_vat": {"20": "6.67", "7": "2.33", "4": "1.33"}.get(rate, ""),
        }
    if level := families["level"].get(groups.get("level") or ""):
        said = level[LANGUAGES[language]]
        found |= {
            "level": said, "level_cap": said[:1].upper() + said[1:],
            "level_cat": level["cat"], "level_rate": level["rate"],
        }
    return found


def _element(about: About, groups: Mapping[str, str | None], language: int) -> dict[str, str]:
    """The element that a structure rule is about, the place around it, and the term that both are."""
    thing = (groups.get("thing") or "").strip()
    context = about.context.split(" | ")[0]
    own = _last(context)
    inside = bool(thing) and own == thing
    around = bare(context).rpartition("/")[0] if inside else context
    path = bare(context) if inside or not thing else f"{bare(context)}/{_qualified(thing.split('[')[0], own)}"
    term = term_at(path) or (about.terms[0] if len(about.terms) == 1 else None)
    words = _element_words(path)
    named = name_of(term, language) if term and is_named(term) else words[language]
    attribute = groups.get("attribute") or ""
    roles = data("attributes.toml").get(attribute, {})
    condition = (groups.get("filter") or "").strip("[]").replace('"', "'")
    return {
        "thing_name": named or thing or own,
        "place": _place(around, language),
        "around": _said(around, language) or _path(around, language),
        "here": _path(context, language),
        "here_said": named or _around(context, language) or _path(context, language),
        "here_name": f" ({_around(context, language)})" if not term and _around(context, language) else "",
        "term_clause": WORDS["term"][language].format(named, term) if term and named != term else "",
        "example_keep": _example(term or "", language) or _clause(MAIL if "Email" in path else words[2], language),
        "richer": next((said[language] for name, said in RICHER.items() if name in about.names[-1]), ""),
        "filter_clause": WORDS["filter"][language].format(bare_condition(condition)) if condition else "",
        "attribute_role": roles.get(LANGUAGES[language], ""),
        "attribute_example": _attribute_example(attribute, term) or roles.get("example", "…"),
        "instead": data("attributes.toml")["instead"].get(thing, ["", ""])[language],
        "times_word": WORDS.get(groups.get("times") or "", ("", ""))[language],
    }


def _element_words(path: str) -> Sequence[str]:
    """Name and example of the element at a path, by its own name and its parent's where the two tell more."""
    *_, parent, own = ("", *map(_local, path.split("/")))
    known = data("elements.toml")
    words: Sequence[str] = known.get(f"{parent}/{own}") or known.get(own, ("", "", ""))
    return words


def _qualified(name: str, around: str) -> str:
    """CII-SR rules name elements without their prefix: what stands inside an element of CII is of `ram`."""
    return f"ram:{name}" if ":" not in name and around.startswith(("rsm:", "ram:")) else name


def bare_condition(text: str) -> str:
    """A condition of an XPath, short enough to be read."""
    text = OTHER_THAN.sub(r"@\1 ≠ '\2'", text)
    return text if len(text) <= 60 else text[:57] + "…"


def _attribute_example(attribute: str, term: str | None) -> str:
    return example_of(f"{term}-1") if attribute == "schemeID" and term else ""


def _example(term: str, language: int) -> str:
    return _clause(example_of(term) if term else "", language)


def _clause(example: str, language: int) -> str:
    return WORDS["example"][language].format(example) if example else ""


def _last(context: str) -> str:
    return bare(context).rpartition("/")[2]


def _local(name: str) -> str:
    return name.split("[", maxsplit=1)[0].rpartition(":")[2]


def _steps(context: str) -> list[str]:
    return [step for step in ENDS_WITH.sub(r"…\1", bare_keeping_families(context)).split("/") if step]


def _path(context: str, language: int) -> str:
    return "/".join(_steps(context)[-STEPS:]) or WORDS["anywhere"][language]


def _around(context: str, language: int) -> str:
    """The last elements of a path in words, the innermost first: `adresse, immatriculation, acheteur`."""
    known = data("elements.toml")
    said = [known[name][language] for step in reversed(_steps(context)) if (name := _local(step)) in known]
    return ", ".join(dict.fromkeys(said[:STEPS - 1]))


def _place(context: str, language: int) -> str:
    """`ram:SellerTradeParty/ram:PostalTradeAddress (adresse du vendeur)`."""
    path, said = _path(context, language), _said(context, language)
    return WORDS["place"][language].format(path, said) if said else path


def _said(context: str, language: int) -> str:
    """A place in words alone; "" where we have none for it."""
    term = term_at(context)
    return name_of(term, language) if term and is_named(term) else _around(context, language)


def bare_keeping_families(context: str) -> str:
    """The path without conditions, except the one that stands for a family of names."""
    return context if "ends-with(" in context else bare(context)
