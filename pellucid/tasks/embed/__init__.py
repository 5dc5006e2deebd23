"""Learning without answers: codes, groups, neighbours and rows that stand alone."""
