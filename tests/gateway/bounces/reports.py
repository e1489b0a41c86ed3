"""Mails as mail servers send them back, written for these tests after RFC 3464, 3834, 5965 and 6533."""

PROSE = "This is the mail system at host mx.mairie.example.\r\n"


def delivery_report(
    original: str, *, status: str = "5.1.1", action: str = "failed", to: str = "compta@mairie.example",
    said: str = "smtp; 550 5.1.1 no such user", envelope: str = "", whole: bool = False, world: bool = False,
) -> bytes:
    """A report about the mail with this Message-ID; `whole` brings that mail along, else its headers."""
    fields = ["Reporting-MTA: dns; mx.mairie.example",
              *([f"Original-Envelope-Id: {envelope}"] if envelope else []), "", f"Final-Recipient: rfc822; {to}",
              f"Action: {action}", f"Status: {status}", f"Diagnostic-Code: {said}", ""]
    headers = f"From: relances@passerelle.example\r\nTo: {to}\r\nMessage-ID: {original}\r\nSubject: Facture\r\n\r\n"
    return _report("delivery-status", [
        ("text/plain", PROSE),
        ("message/global-delivery-status" if world else "message/delivery-status", "\r\n".join(fields)),
        ("message/rfc822", f"{headers}Bonjour,\r\n") if whole else ("text/rfc822-headers", headers)])


def complaint(original: str, kind: str = "abuse") -> bytes:
    """What a mailbox provider says when its reader clicked "unwanted"."""
    fields = (f"Feedback-Type: {kind}\r\nUser-Agent: Boites/1\r\nVersion: 1\r\n"
              "Original-Rcpt-To: compta@mairie.example\r\n")
    return _report("feedback-report", [
        ("text/plain", PROSE), ("message/feedback-report", fields),
        ("message/rfc822", f"Message-ID: {original}\r\nSubject: Facture\r\n\r\nBonjour,\r\n")])


def out_of_office(original: str) -> bytes:
    """Somebody is away."""
    return ("From: compta@mairie.example\r\nTo: relances@passerelle.example\r\nSubject: Absente\r\n"
            f"Auto-Submitted: auto-replied\r\nIn-Reply-To: {original}\r\n\r\n"
            "Je suis absente jusqu'au 3 avril. 5.1.1 ne veut rien dire ici.\r\n").encode()


def ordinary() -> bytes:
    """Somebody writes."""
    return (b"From: quelqu.un@ailleurs.example\r\nTo: relances@passerelle.example\r\nSubject: Bonjour\r\n\r\n"
            b"La facture est partie au paiement.\r\n")


def _report(kind: str, parts: list[tuple[str, str]]) -> bytes:
    body = "".join(f"--=_fin\r\nContent-Type: {name}\r\n\r\n{text}\r\n" for name, text in parts)
    return ("From: MAILER-DAEMON@mx.mairie.example\r\nTo: relances@passerelle.example\r\n"
            "Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
            f'Content-Type: multipart/report; report-type={kind}; boundary="=_fin"\r\n\r\n{body}--=_fin--\r\n').encode()
