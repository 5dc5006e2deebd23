"""Learn scikit-learn's handwritten digits from a folder of PNG files, one sub-folder for each digit.

    python examples/pictures.py
"""
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

import pellucid

data, folder = load_digits(), Path(tempfile.mkdtemp()) / "digits"
for number, (picture, digit) in enumerate(zip(data.images, data.target, strict=True)):
    (folder / str(digit)).mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.round(picture * 255 / 16).astype(np.uint8)).save(folder / str(digit) / f"{number:04}.png")

run = pellucid.train(folder)  # or: pellucid train digits
print(run)
print(run.model.predict(folder / "7").to_frame().head())
print("The report with the worst errors:", run.folder / "report.html")
