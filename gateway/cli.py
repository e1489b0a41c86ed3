"""The command `passerelle`: maps a command to its module and loads only that one.

Loading by name keeps `passerelle validate` free of web, database and queue libraries. Nothing heavy is loaded here:
a command that needs a worker has it started first, and loads the rest while the worker does.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from validation.worker import COLD, Worker

COMMANDS: dict[str, tuple[str, str]] = {
    "validate": ("gateway.commands.validate", "Vérifier des documents / Validate documents"),
    "repair": ("gateway.commands.repair", "Appliquer une correction proposée / Apply a proposed correction"),
    "convert": ("gateway.commands.documents", "Convertir un document / Convert a document"),
    "render": ("gateway.commands.documents", "Dessiner le PDF lisible / Draw the readable PDF"),
    "extract": ("gateway.commands.documents", "Extraire le XML d'un PDF / Extract the XML of a PDF"),
    "verify": ("gateway.commands.verify", "Contrôler un dossier de preuve / Verify a dossier"),
    "archive": ("gateway.commands.archive", "Journal : points de contrôle, exercice, hachage / Journal, long term"),
    "retention": ("gateway.commands.retention", "Conservation : gels, destructions / Retention, holds, destruction"),
    "rules": ("gateway.commands.rules", "Jeux de règles / Rule sets"),
    "send": ("gateway.commands.client", "Envoyer une facture / Send an invoice"),
    "status": ("gateway.commands.client", "État d'une facture / State of an invoice"),
    "export": ("gateway.commands.client", "Exporter un dossier de preuve / Export a dossier"),
    "serve": ("gateway.commands.serve", "Servir l'API et la console / Serve API and console"),
    "worker": ("gateway.commands.serve", "Un ouvrier de plus / One more worker"),
    "sandbox": ("gateway.sandbox.server", "La plateforme de démonstration / The sandbox platform"),
    "platform": ("gateway.commands.platform", "Contrôler une plateforme / Check a platform"),
    "migrate": ("gateway.commands.serve", "Mettre la base à jour / Upgrade the database"),
    "backup": ("gateway.commands.care", "Sauvegarder / Back up"),
    "restore": ("gateway.commands.care", "Restaurer / Restore"),
    "scrub": ("gateway.commands.scrub", "Contrôler tout ce qui est conservé / Control everything kept"),
    "restitute": ("gateway.commands.restitute", "Restituer ou reprendre un compte / Hand out or take in a tenant"),
    "entity": ("gateway.commands.admin", "Entités légales / Legal entities"),
    "directory": ("gateway.commands.directory", "Annuaire : joignable ou non / Directory: reachable or not"),
    "bank": ("gateway.commands.bank", "Relevés bancaires CAMT.053 / Bank statements"),
    "key": ("gateway.commands.admin", "Clés d'API / API keys"),
    "user": ("gateway.commands.admin", "Utilisateurs / Users"),
    "scenario": ("gateway.commands.admin", "Scénario de relance / Reminder scenario"),
    "reminders": ("gateway.commands.reminders", "Relances : à venir, essai, relecture / Preview, trial, recheck"),
    "demo": ("gateway.commands.demo", "Tout le chemin, une fois / The whole way, once"),
}
"""Command to (module, what it does). Modules that serve several commands are told which one."""

RULES = "PASSERELLE_RULES"
"""Where the rule supply looks for added and kept sets: beside the other data, also for commands without settings."""

WORKER_FIRST = {"validate"}
"""Commands that surely ask a worker."""

SEVERAL = {"gateway.commands.documents", "gateway.commands.client", "gateway.commands.serve",
           "gateway.commands.care", "gateway.commands.admin"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is the command's, 2 for a command that does not exist."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["--version"]:
        print(f"passerelle {importlib.import_module('importlib.metadata').version('passerelle')}")
        return 0
    if not arguments or arguments[0] not in COMMANDS:
        asked = arguments[0] if arguments else "--help"
        stream = sys.stdout if asked in {"--help", "-h", "help"} else sys.stderr
        print("usage: passerelle COMMAND …\n", file=stream)
        for name, (_, text) in COMMANDS.items():
            print(f"  {name:<10} {text}", file=stream)
        return 0 if stream is sys.stdout else 2
    module, _ = COMMANDS[arguments[0]]
    os.environ.setdefault(RULES, str(Path(os.environ.get("PASSERELLE_DATA", "var/data")).absolute() / "rules"))
    worker = Worker(COLD, {RULES: os.environ[RULES]}) if arguments[0] in WORKER_FIRST else None
    run = importlib.import_module(module).main
    if worker is not None:
        run = partial(run, first=worker)
    if arguments[0] == "verify" and "--all" in arguments:  # the one use of it that needs the service's database
        run = partial(run, everything=importlib.import_module("gateway.commands.everything").check)
    try:
        result: int = run(arguments if module in SEVERAL else arguments[1:])
    except BrokenPipeError:  # the reader has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    finally:
        if worker is not None:
            worker.kill()
    return result


if __name__ == "__main__":
    sys.exit(main())
