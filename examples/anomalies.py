"""Find strange pumps among measurements that this script makes up: nobody says which ones are broken.

    python examples/anomalies.py
"""
import numpy as np
import polars as pl

import pellucid

random, rows = np.random.default_rng(0), 1000
speed = random.normal(1500, 100, rows)
power = speed / 100 + random.normal(0, 0.3, rows)  # belongs to the speed
power[:8] += 6  # eight pumps take more power than their speed explains
site = random.choice(["north", "south"], rows)
pumps = pl.DataFrame({"speed": speed, "power": power, "temperature": random.normal(60, 3, rows), "site": site})

run = pellucid.train(pumps, task="detect", false_alarms=0.01)  # no target: nothing but the rows
print(run)
print(run.model.predict(pumps).to_frame().sort("score", descending=True).head(10))  # rows 0 to 7, because of the power
