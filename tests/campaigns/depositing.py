"""A deposit as a patient billing system makes it."""

import time
from collections import Counter

import httpx

NOT_YET = {409: "idempotency-in-progress", 503: "validation-unavailable"}
PATIENCE_S = 0.2


def deposit(client: httpx.Client, number: str, document: bytes, answers: Counter[int]) -> httpx.Response:
    """The same key until there is an answer that is one; `answers` counts what came by status."""
    while True:
        try:
            answer = client.post("/v1/invoices", content=document, headers={
                "Idempotency-Key": number, "Content-Type": "application/xml"})
        except httpx.TransportError:
            time.sleep(PATIENCE_S)
            continue
        answers[answer.status_code] += 1
        if answer.status_code not in NOT_YET or answer.json()["code"] != NOT_YET[answer.status_code]:
            return answer
        time.sleep(PATIENCE_S)
