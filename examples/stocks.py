"""Forecast three made-up stocks a week ahead; nothing can foresee them, and the report has to say so.

    python examples/stocks.py
"""
import numpy as np
import polars as pl

import pellucid

days = pl.date_range(pl.date(2019, 1, 1), pl.date(2024, 12, 31), "1d", eager=True)
days = days.filter(days.dt.weekday() <= 5)
random = np.random.default_rng(0)
tables = []
for name in ("OAK", "ELM", "ASH"):
    changes = random.normal(0.0003, 0.015, len(days)) * random.choice([1, 3], len(days), p=[0.95, 0.05])
    tables.append(pl.DataFrame({"day": days, "stock": name, "price": 100 * np.exp(np.cumsum(changes))}))
stocks = pl.concat(tables)

run = pellucid.train(stocks, "price", horizon=5)
print(run)
print(run.model.predict(stocks).to_frame())
