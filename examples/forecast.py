"""Forecast a shop's monthly sales a year ahead, from a table that this script makes up.

    python examples/forecast.py
"""
import numpy as np
import polars as pl

import pellucid

months = pl.date_range(pl.date(2006, 1, 1), pl.date(2025, 12, 1), "1mo", eager=True)
random, steps = np.random.default_rng(0), np.arange(len(months))
trend, season = 200 + 0.9 * steps, 1 + 0.25 * np.sin(2 * np.pi * steps / 12)
sales = pl.DataFrame({"month": months, "sales": trend * season + random.normal(scale=8, size=len(months))})

run = pellucid.train(sales, "sales")  # a date and a number: the task is found out
print(run)
print(run.model.predict(sales).to_frame())
