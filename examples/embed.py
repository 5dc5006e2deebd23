"""Find what is alike in a table without any answers: codes, groups in words, neighbours, a map.

    python examples/embed.py

The data come with scikit-learn: 178 wines from three vineyards, 13 measurements of each. Which vineyard a wine is from
is not told; it only judges what was found.
"""
from sklearn.datasets import load_wine

import pellucid

wines = load_wine(as_frame=True).frame
wines["vineyard"] = [f"vineyard {number + 1}" for number in wines.pop("target")]

run = pellucid.train(wines, "vineyard", task="embed")  # or: pellucid train wines.csv --task embed --target vineyard
print(run)
for group in run.metrics["embed"]["groups"]:
    print(group["rows"], "wines:", "; ".join(group["sentences"]))
print(run.model.predict(wines).to_frame().head())
print("most like the first wine:", run.model.nearest(wines.head(1), 3))
