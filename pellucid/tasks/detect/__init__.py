"""Finding anomalies, without labels or with few."""
