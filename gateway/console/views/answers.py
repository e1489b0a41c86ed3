"""The page behind a link in a letter: a client answers without an account. Opens one invoice's question, nothing else.

Opening a link answers nothing: programs that check mails for their readers open every link in them. The button does.
"""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from gateway.console.page import Page, form_of
from gateway.console.templating import draw
from gateway.deps import CurrentDeps
from gateway.reminders.answers import AnswerIn, Question, answer, question_of
from gateway.reminders.letters.links import WORDS, Fault
from gateway.reminders.reasons import amount_words, day_words

router = APIRouter(route_class=Page, include_in_schema=False)
STATUS: Final = {Fault.FORGED: 404, Fault.OLD: 410, Fault.ELSEWHERE: 410}
FIELDS: Final = ("answer", "paid_on", "remark", "email")


@router.get("/reponse/{token}")
def show_question(request: Request, deps: CurrentDeps, token: str, lang: str = "fr", r: str = "") -> Response:
    """The question of a link, with the answer that was clicked first."""
    return _page(request, question_of(deps, token), token, lang, chosen=r)


@router.post("/reponse/{token}")
def take_answer(
    request: Request, deps: CurrentDeps, token: str, form: Annotated[FormData, Depends(form_of)], lang: str = "fr"
) -> Response:
    """Take the answer, once."""
    given = {name: str(form.get(name, "")) for name in FIELDS}
    try:
        said = AnswerIn.model_validate({name: value for name, value in given.items() if value})
    except ValidationError:
        return _page(request, question_of(deps, token), token, lang, chosen=given["answer"], given=given)
    return _page(request, answer(deps, token, said), token, lang, thanks=True)


def _page(
    request: Request, asked: Question, token: str, lang: str, *, chosen: str = "",
    given: Mapping[str, str] | None = None, thanks: bool = False,
) -> Response:
    """The page; `given`: what was typed and cannot be so."""
    lang = lang if lang in WORDS else "fr"
    words = dict(WORDS[lang])
    status = STATUS[asked.fault] if asked.fault is not None else 422 if given else 200
    due = day_words(asked.due_date, lang) if asked.due_date is not None else ""
    owed = amount_words(asked.balance, asked.currency, lang)
    return draw(request, "reponse.html", status=status, asked=asked, due=due, owed=owed, token=token, lang=lang,
                answers=words, chosen=chosen if chosen in words else "", given=given or {}, thanks=thanks, visit=None)
