"""Why a PDF is not read or not changed: one stable code per reason, in French and English. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A reason, without the detail of the single case."""

    fr: str
    en: str


READING = {
    "not-a-pdf": Fault("ce fichier n'est pas un PDF", "not a PDF"),
    "pdf-damaged": Fault("le PDF est endommagé", "the PDF is broken"),
    "pdf-encrypted": Fault("le PDF est chiffré et demande un mot de passe",
                           "the PDF is encrypted and needs a password"),
    "nothing-inside": Fault("aucune facture n'est jointe au PDF", "no invoice is attached to the PDF"),
    "order-x": Fault("la pièce jointe est une commande Order-X, pas une facture",
                     "the attachment is an Order-X order, not an invoice"),
    "attachment-lzw": Fault("la pièce jointe est compressée en LZW, ce que PDF/A interdit",
                            "the attachment is packed with LZW, which PDF/A forbids"),
    "attachment-damaged": Fault("la pièce jointe ne peut pas être décompressée", "the attachment cannot be unpacked"),
}
"""Of extraction; the first three also of repair."""

REPAIR = {
    "pdf-too-big": Fault("le PDF dépasse une limite", "the PDF is over a limit"),
    "pdf-protected": Fault("le PDF est chiffré (mot de passe vide), ce que PDF/A interdit",
                           "the PDF is encrypted (with an empty password), which PDF/A forbids"),
    "pdf-signed": Fault("le PDF est signé ; y joindre la facture casserait la signature",
                        "the PDF is signed; attaching the invoice would break the signature"),
    "not-pdfa": Fault("le PDF ne se déclare pas PDF/A-1, -2 ou -3",
                      "the PDF does not say that it is PDF/A-1, -2 or -3"),
    "page-size": Fault("une page est plus petite que 3 ou plus grande que 14 400 points",
                       "a page is smaller than 3 or larger than 14,400 points"),
    "drawing-damaged": Fault("le dessin d'une page est endommagé", "the drawing of a page is broken"),
    "drawing-too-complex": Fault("le dessin d'une page dépasse une limite", "the drawing of a page is over a limit"),
    "resource-missing": Fault("une page nomme une ressource absente", "a page names a resource that is not there"),
    "font-not-embedded": Fault("police non incorporée", "font not embedded"),
    "font-damaged": Fault("police incorporée illisible ou d'un type non pris en charge",
                          "embedded font unreadable or of a kind that is not taken"),
    "font-encoding": Fault("codage de police que PDF/A interdit", "font encoding that PDF/A forbids"),
    "font-widths": Fault("les chasses déclarées d'une police diffèrent de celles de ses glyphes",
                         "the widths stated for a font differ from those of its glyphs"),
    "glyph-missing": Fault("un caractère affiché n'a pas de glyphe dans sa police",
                           "a character that is shown has no glyph in its font"),
    "colour-space": Fault("couleurs que le profil de sortie ne couvre pas",
                          "colours that the output profile does not cover"),
    "colour-profile": Fault("profil de couleur illisible ou inadapté", "colour profile unreadable or unfit"),
    "graphics-state": Fault("état graphique que PDF/A interdit", "graphics state that PDF/A forbids"),
    "image": Fault("image d'un genre que PDF/A interdit", "image of a kind that PDF/A forbids"),
    "postscript": Fault("objet PostScript ou renvoi à un autre fichier",
                        "PostScript object or reference to another file"),
    "external-stream": Fault("données hors du fichier", "data outside the file"),
    "stream-filter": Fault("données compressées d'une façon que PDF/A interdit",
                           "data packed in a way that PDF/A forbids"),
    "annotation-kind": Fault("annotation d'un genre que PDF/A interdit", "annotation of a kind that PDF/A forbids"),
    "annotation-hidden": Fault("annotation masquée ou non imprimable", "hidden annotation, or one that is not printed"),
    "annotation-appearance": Fault("annotation sans apparence enregistrée", "annotation without a stored appearance"),
    "form-xfa": Fault("formulaire dynamique (XFA)", "dynamic form (XFA)"),
    "form-appearance": Fault("champ de formulaire sans apparence enregistrée",
                             "form field without a stored appearance"),
    "optional-content": Fault("calques que PDF/A interdit", "layers that PDF/A forbids"),
    "too-many-attachments": Fault("trop de pièces jointes", "too many attachments"),
}
"""Of repair: what cannot be put right without changing what the page shows, or is not known to be right."""

FAULTS = {**READING, **REPAIR}
