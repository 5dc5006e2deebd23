"""Recommend films from made-up ratings with planted tastes, and see that the tastes are found.

Run with: python examples/recommend.py
"""
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

import pellucid

USERS, FILMS, RATINGS, SEED = 200, 60, 25, 0
GENRES = ("comedy", "thriller", "western")

generator = np.random.default_rng(SEED)
genre = np.arange(FILMS) % len(GENRES)  # the genre of each film, which the network never sees
names = np.array([f"{GENRES[kind]} {number // len(GENRES) + 1}" for number, kind in enumerate(genre)])
taste = np.arange(USERS) % len(GENRES)  # the genre that each user likes
rows = []
for user in range(USERS):
    # what people like is what they mostly watch
    seen = generator.choice(FILMS, RATINGS, replace=False, p=np.where(genre == taste[user], 3, 1) / np.where(
        genre == taste[user], 3, 1).sum())
    for film in seen:
        stars = 2.2 + 2.0 * (genre[film] == taste[user]) + generator.normal(0, 0.7)
        rows.append({"user": f"user {user}", "film": names[film], "stars": int(np.clip(round(stars), 1, 5))})

with tempfile.TemporaryDirectory() as folder:
    table = Path(folder) / "ratings.csv"
    pl.DataFrame(rows).write_csv(table)
    run = pellucid.train(table, run=Path(folder) / "run", members=3)  # the task is found from the columns
print(run)

model = run.model
print(f"\nFor user 1, who likes {GENRES[taste[1]]}s:")
print(model.recommend("user 1", top=5).to_frame())

print("\nFor somebody new, who liked two westerns and no comedy:")
told = model.recommend(ratings={"western 1": 5, "western 2": 5, "comedy 1": 1}, top=5)
print(told.to_frame())
assert sum(name.startswith("western") for name in told.item) >= 4

print("\nWhat user 0 would give to two films, with intervals:")
print(model.predict([{"user": "user 0", "film": "comedy 3"}, {"user": "user 0", "film": "western 3"}]).to_frame())
