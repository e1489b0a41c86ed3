"""The numbered checks. Their numbers and keys are stable; new ones are added at the end of their part."""

from collections.abc import Callable

from gateway.platforms.conformance import changing, reading
from gateway.platforms.conformance.bench import Bench, Check, Verdict, Weight

NORM, HAZARD = Weight.NORM, Weight.HAZARD


def _check(  # noqa: PLR0917  a row of a table
    key: str, weight: Weight, title_fr: str, title_en: str, run: Callable[[Bench], Verdict], copes: str = ""
) -> Check:
    return Check(key=key, weight=weight, title_fr=title_fr, title_en=title_en, run=run, copes=copes)


CHECKS = (
    _check("reachable", NORM, "La plateforme répond avec nos identifiants", "It answers with our credentials",
           reading.token),
    _check("page-size", HAZARD, "Une page contient les 100 flux demandés", "A page holds the 100 flows asked for",
           reading.pages, "walks on to the end"),
    _check("cursor", HAZARD, "Une page pleine donne un curseur", "A full page gives a cursor", reading.cursor,
           "walks by date"),
    _check("walk", NORM, "La liste se parcourt jusqu'au bout, sans doublon", "The list can be walked, no flow twice",
           reading.walk, "knows flows by id and time"),
    _check("order", HAZARD, "Les pages se suivent dans le temps", "Pages go forward in time", reading.order,
           "sorts, and passes nothing that it has not stored"),
    _check("own-times", HAZARD, "Chaque flux a son heure", "Every flow has a time of its own", reading.times,
           "passes a time only when all flows that share it were given"),
    _check("strictly-after", NORM, "updatedAfter exclut l'heure donnée", "updatedAfter excludes the time given",
           reading.strictly_after, "knows flows by id and time"),
    _check("tracking-filter", NORM, "La recherche par trackingId filtre", "Searching by trackingId filters",
           reading.filters, "compares the id itself, and believes no list without end"),
    _check("metadata", NORM, "Un flux consulté est celui de la liste", "A flow by itself is that of the list",
           reading.metadata),
    _check("unknown-flow", NORM, "Un flux inconnu est refusé", "An unknown flow is refused", reading.unknown_flow),
    _check("documents", HAZARD, "Les documents reçus sont disponibles", "Received documents are there",
           reading.documents, "asks for the next kind, parks the flow when there is none"),
    _check("vocabulary", HAZARD, "Seules des valeurs connues apparaissent", "Known values only", reading.vocabulary,
           "keeps them as text"),
    _check("classification", HAZARD, "Les flux sont bien classés", "Flows are filed right", reading.classes,
           "goes by the syntax"),
    _check("clock", HAZARD, "L'horloge de la plateforme est juste", "Its clock is right", reading.clock,
           "keeps its mark in the platform's time"),
    _check("directory", NORM, "L'annuaire dit vrai", "The directory tells the truth", reading.directory),
    _check("deposit", NORM, "Un dépôt reçoit son identifiant", "A deposit gets its id", changing.deposit,
           "looks up before it repeats"),
    _check("found-again", NORM, "Le dépôt se retrouve, octet pour octet", "The deposit is found, byte for byte",
           changing.found_again),
    _check("acknowledged", NORM, "Le dépôt est acquitté", "The deposit is acknowledged", changing.acknowledged),
    _check("double", HAZARD, "Un double est refusé dans l'acquittement", "A double is refused in the acknowledgement",
           changing.double, "settles it by the tracking id"),
    _check("callback", HAZARD, "Un dépôt provoque un rappel", "A deposit causes a callback", changing.called,
           "polls anyway"),
    _check("callback-proof", NORM, "Les rappels sont signés comme prévu", "Callbacks are signed as they should be",
           changing.proved, "refuses them, polls anyway"),
    _check("callback-time", HAZARD, "L'heure des rappels est juste", "The time of callbacks is right",
           changing.punctual, "refuses them, polls anyway"),
    _check("callback-once", HAZARD, "Chaque nouvelle est dite une fois", "Each news is told once", changing.once,
           "one look, whatever their number"),
    _check("callback-order", HAZARD, "Les rappels arrivent dans l'ordre", "Callbacks come in order",
           changing.in_order, "takes them as hints"),
    _check("late-rows", HAZARD, "Aucun flux n'apparaît après coup", "No flow appears after the fact", reading.late,
           "overlaps its walks"),
    _check("speed", HAZARD, "Les réponses viennent vite", "Answers come soon", reading.speed),
    _check("throttled", HAZARD, "Aucune réponse 429", "No answer 429", reading.throttled, "waits as it is told"),
    _check("server-errors", HAZARD, "Aucune réponse 5xx", "No answer 5xx", reading.server_errors,
           "asks again later, looks deposits up"),
    _check("whole-answers", NORM, "Les réponses sont entières et en JSON", "Answers are whole, and JSON",
           reading.wholeness),
    _check("no-redirect", NORM, "Aucune redirection", "No redirect", reading.redirects, "follows none"),
)
"""In the order in which they are run: what the last ones look at is what the others met."""
