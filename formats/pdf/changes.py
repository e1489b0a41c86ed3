"""What a repair changed in a PDF: one stable code per kind of change, in French and English."""

from dataclasses import dataclass

TEXTS = {
    "metadata-rewritten": ("métadonnées réécrites selon PDF/A-3B et Factur-X",
                           "metadata rewritten as PDF/A-3B and Factur-X"),
    "structure-rebuilt": ("structure du fichier endommagée, lue au mieux",
                          "broken file structure, read as well as it can be"),
    "version-lowered": ("version du format ramenée à PDF 1.7", "format version lowered to PDF 1.7"),
    "metadata-removed": ("métadonnées propres à une image, une police ou une page retirées",
                         "metadata of a single image, font or page removed"),
    "output-intent-added": ("profil de couleur de sortie sRGB ajouté", "sRGB output profile added"),
    "output-intent-removed": ("profil de couleur de sortie en surnombre ou sans profil retiré",
                              "output intent that is one too many or has no profile removed"),
    "invoice-replaced": ("facture déjà jointe remplacée", "invoice that was attached already replaced"),
    "attachment-described": ("pièce jointe décrite comme PDF/A-3 le demande",
                             "attachment described as PDF/A-3 wants it"),
    "script-removed": ("scripts et actions interdites retirés", "scripts and forbidden actions removed"),
    "print-flag-set": ("annotation rendue imprimable", "annotation made printable"),
    "hidden-annotation-removed": ("annotation masquée retirée", "hidden annotation removed"),
    "form-flag-cleared": ("demande de redessiner les champs retirée", "request to redraw form fields removed"),
    "interpolation-removed": ("lissage d'image désactivé", "smoothing of an image switched off"),
    "lzw-repacked": ("données LZW recompressées", "LZW data packed anew"),
    "font-set-removed": ("liste facultative de glyphes d'une police retirée",
                         "optional list of a font's glyphs removed"),
    "font-map-added": ("correspondance des glyphes d'une police écrite", "glyph map of a font written down"),
    "font-embedded": ("police standard incorporée (mêmes chasses)", "standard font embedded (same widths)"),
    "resources-added": ("ressources héritées écrites dans le dessin", "inherited resources written into the drawing"),
    "layers-described": ("configuration des calques complétée", "configuration of layers completed"),
    "catalog-cleaned": ("entrées du catalogue interdites retirées", "forbidden entries of the catalog removed"),
}


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One kind of change, and what it was about where that says something."""

    code: str
    detail: str = ""

    @property
    def fr(self) -> str:
        """For people, French."""
        return f"{TEXTS[self.code][0]} : {self.detail}" if self.detail else TEXTS[self.code][0]

    @property
    def en(self) -> str:
        """For people, English."""
        return f"{TEXTS[self.code][1]}: {self.detail}" if self.detail else TEXTS[self.code][1]
