"""Which customers leave, what matters for it, and what would keep one of them; this script makes the customers up.

    python examples/retention.py
"""
import numpy as np
import polars as pl

import pellucid

random, count = np.random.default_rng(0), 1500
months, calls, price = random.integers(1, 60, count), random.poisson(1.5, count), random.uniform(10, 90, count)
contract = random.choice(["monthly", "yearly"], count, p=[0.6, 0.4])
unhappy = 0.9 * (calls > 3) + 0.02 * (price - 50) - 0.04 * months + 1.2 * (contract == "monthly") - 0.4
customers = pl.DataFrame({"months": months, "calls": calls, "price": price.round(2), "contract": contract,
                          "shoe_size": random.normal(42, 2, count).round(1),
                          "left": np.where(random.random(count) < 1 / (1 + np.exp(-2 * unhappy)), "yes", "no")})

run = pellucid.train(customers, "left", members=4)
print(run)
for column in run.metrics["importance"]["columns"]:
    print(f"{column['column']}: moves the answer by {100 * column['influence']:.1f} points")
answers = run.model.predict(customers)
row = int(answers.probabilities[:, answers.classes.index("yes")].argmax())
print(run.model.explain(customers[[row]])[0])
print(run.model.changes(customers[[row]], to="no", locked=["months", "shoe_size"])[0])
