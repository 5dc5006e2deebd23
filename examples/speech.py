"""Learn the keys of a telephone from recordings of their tones, one sub-folder for each key.

    python examples/speech.py

The script makes the recordings itself: each key is two tones at once, of any length and loudness, in noise.
"""
import tempfile
from pathlib import Path

import numpy as np
from scipy.io import wavfile

import pellucid

LOW, HIGH, RATE = (697, 770, 852, 941), (1209, 1336, 1477), 8000
KEYS = {key: (LOW[place // 3], HIGH[place % 3]) for place, key in enumerate("123456789*0#")}
NAMES = {"*": "star", "#": "hash"}
EACH = 40

folder, random = Path(tempfile.mkdtemp()) / "keys", np.random.default_rng(0)
for key, pitches in KEYS.items():
    place = folder / NAMES.get(key, key)
    place.mkdir(parents=True)
    for number in range(EACH):
        time = np.arange(int(random.uniform(0.1, 0.3) * RATE)) / RATE
        tones = sum(random.uniform(0.3, 1) * np.sin(2 * np.pi * pitch * time) for pitch in pitches)
        noisy = tones + random.normal(scale=random.uniform(0, 1), size=len(time))
        wavfile.write(place / f"{number:02}.wav", RATE, (random.uniform(500, 6000) * noisy).astype(np.int16))

run = pellucid.train(folder)  # or: pellucid train keys
print(run)
print(run.model.predict(folder / "star").to_frame().head())
