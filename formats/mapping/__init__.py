"""THE TABLE: where each business term sits in UBL and in CII, side by side. Data only."""
