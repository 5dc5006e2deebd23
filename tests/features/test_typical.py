"""Made-up parts of pictures and series whose places mean something."""
import io

import numpy as np
import polars as pl
import pytest
from PIL import Image as Pillow

from pellucid.features.between import step_groups
from pellucid.features.image import Image
from pellucid.features.series import Series
from pellucid.features.types import feature_from_json
from pellucid.features.typical import typical_of

RANDOM = np.random.default_rng(0)


def series_rows(rows=60, length=6):
    return RANDOM.normal(size=(rows, length)) + 10 * np.arange(length)


def test_quantiles_are_values_that_occur():
    seen = series_rows().round(3)
    assert all(value in seen[:, place] for own in typical_of(seen) for place, value in enumerate(own))


def test_parts_of_series_that_are_not_known_are_drawn_at_their_place():
    rows = series_rows()
    cells = pl.Series("track", [str(row.tolist()) for row in rows])
    plain = Series.fit("track", cells)
    assert plain.background(4, RANDOM) is None
    scaled = plain.encode(cells).raw["values"][..., 0]
    feature = plain.aligned(scaled)
    assert feature_from_json(feature.to_json()) == feature
    made = feature.background(200, np.random.default_rng(0))
    drawn = made.raw["values"][..., 0]
    np.testing.assert_allclose(drawn.mean(axis=0), scaled.mean(axis=0), atol=0.05)
    assert abs(np.corrcoef(drawn.T) - np.eye(6)).max() < 0.35  # each step has a quantile of its own

    own = feature.encode(cells[:1])
    keep = np.zeros((200, 6), bool)
    keep[:, 2] = True
    mixed = feature.exchange(cells[0], own, keep, made).raw["values"][..., 0]
    np.testing.assert_array_equal(mixed[:, 2], np.repeat(own.raw["values"][0, 2], 200))
    np.testing.assert_allclose(np.delete(mixed, 2, 1), np.delete(drawn, 2, 1), atol=1e-6)


def test_short_series_get_parts_from_the_same_share_of_the_way():
    cells = pl.Series("track", [str(row.tolist()) for row in series_rows(length=12)] + ["[0.0, 50.0, 110.0]"])
    feature = Series.fit("track", cells)
    feature = feature.aligned(feature.encode(cells[:-1]).raw["values"][..., 0])
    own, made = feature.encode(cells[-1:]), feature.background(9, RANDOM)
    mixed = feature.exchange(cells[-1], own, np.zeros((9, 3), bool), made).raw["values"]
    np.testing.assert_allclose(mixed[:, [0, 2]], made.raw["values"][:, [0, -1]], atol=1e-6)
    assert not mixed[:, 3:].any()


def test_long_series_are_drawn_in_groups_of_steps():
    cells = pl.Series("track", [str(row.tolist()) for row in RANDOM.normal(size=(40, 60))])
    feature = Series.fit("track", cells)
    feature = feature.aligned(feature.encode(cells).raw["values"][..., 0])
    made = feature.background(300, np.random.default_rng(1)).raw["values"][..., 0]
    related, groups = np.corrcoef(made.T), step_groups(60)
    same = groups[:, None] == groups
    assert related[same].min() > 0.8 and abs(related[~same]).max() < 0.35


@pytest.fixture
def cells():
    found = []
    for level in np.linspace(20, 230, 30):
        pixels = np.full((16, 16), 90, np.uint8)
        pixels[:8, :8] = level
        stream = io.BytesIO()
        Pillow.fromarray(pixels).save(stream, "PNG")
        found.append(stream.getvalue())
    return pl.Series("photo", found)


def test_regions_that_are_not_known_are_drawn_at_their_place(cells):
    plain = Image.fit("photo", cells)
    pixels = plain.encode(cells).raw["pixels"]
    feature = plain.aligned(pixels.reshape(30, -1) / 255)
    assert feature_from_json(feature.to_json()) == feature
    own = feature.encode(cells[:1])
    parts = feature.parts(cells[0], own)
    assert all(part.place[0] < 8 and part.place[1] < 8 for part in parts)  # elsewhere all pictures are alike
    made = feature.background(90, np.random.default_rng(0))
    keep = np.zeros((90, len(parts)), bool)
    keep[:, 0] = True
    mixed = feature.exchange(cells[0], own, keep, made).raw["pixels"][..., 0]
    places = feature.places(cells[0], own)
    assert (mixed[:, places == 0] == 20).all() and (mixed[:, places < 0] == 90).all()
    assert abs(mixed[:, 3, 3].mean() - pixels[:, 3, 3].mean()) < 3 and mixed[:, 3, 3].std() > 50
