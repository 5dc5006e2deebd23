"""Networks that learn what stands where, where patterns wherever they are do not tell."""
import numpy as np
import polars as pl
import pytest

from pellucid.cli.dispatch import main
from pellucid.model.load import load
from pellucid.tasks.places import _shares
from pellucid.tasks.train import train

CAUSES = (4, 11, 17)
QUICK = {"epochs": 3, "members": 1, "batch_size": 64, "hidden": (4,)}


def steps_that_matter(rows, seed):
    """Series of twenty signs with noise; the label is the majority of three."""
    generator = np.random.default_rng(seed)
    signs = generator.choice([-1.0, 1.0], size=(rows, 20))
    label = np.where(signs[:, CAUSES].sum(axis=1) > 0, "up", "down")
    values = signs + 0.1 * generator.normal(size=signs.shape)
    return pl.DataFrame({"series": [str(row.round(3).tolist()) for row in values], "label": label})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(steps_that_matter(600, 0), "label", run=tmp_path_factory.mktemp("places") / "run", **QUICK)


def test_what_stands_where_is_learned_and_told(run):
    assert run.metrics["network"]["accuracy"] > 0.95
    note, = (note for note in run.result.notes if note.kind == "places")
    assert note.column == "series" and "weights for each place" in note.message


def test_reasons_name_the_places(run):
    model, others = load(run.folder / "model.pellucid"), steps_that_matter(30, 1)
    known = np.asarray(model.predict(others).prediction)
    np.testing.assert_array_equal(known, run.model.predict(others).prediction)
    right = np.flatnonzero(known == others["label"].to_numpy())
    found = model.explain(others[right.tolist()])
    wanted = {f"step {place + 1}" for place in CAUSES}
    first = [{one.parts[place].name for place in one.order[:3]} == wanted for one in found]
    assert len(right) >= 27 and np.mean(first) >= 0.95
    assert max(abs(one.completeness) for one in found) < 1e-6


def test_files_of_series_in_one_folder_are_answered(run, tmp_path, capsys):
    folder = tmp_path / "new"
    folder.mkdir()
    for row in range(3):
        np.savetxt(folder / f"{row}.csv", np.arange(20.0) - row)
    answers = run.model.predict(folder)
    assert answers.files.to_list() == ["0.csv", "1.csv", "2.csv"] and answers.prediction.shape == (3,)
    one = run.model.predict({"series": [str(folder / "1.csv")]})
    np.testing.assert_allclose(one.probabilities[0], answers.probabilities[1], atol=1e-6)
    assert main(["predict", str(run.folder / "model.pellucid"), str(folder), "--quiet"]) == 0
    assert len(capsys.readouterr().out.strip().splitlines()) >= 4


def shares_of(deep, placed, rows=800):
    """What is fitted where the log-odds of an encoder and of a network over places know so much of the truth each."""
    generator = np.random.default_rng(0)
    parts = generator.normal(size=(rows, 2)) * 3
    answers = (parts.sum(axis=1) + generator.logistic(size=rows) > 0).astype(np.int32)
    noise = generator.normal(size=(rows, 2))
    outputs = [(known * parts[:, place] + noise[:, place])[:, None] for place, known in enumerate((deep, placed))]
    return _shares(*outputs, answers, np.ones(rows))


def test_shares_follow_what_left_out_rows_gain():
    assert shares_of(1, 0) is None  # what stands where tells nothing
    both = shares_of(1, 1)
    assert min(both) > 0.3
    alone = shares_of(0, 1)
    assert alone[0] == 0 and alone[1] > 0.3
