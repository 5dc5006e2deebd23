"""Recognising again: learn from some identities, enrol others, refuse strangers."""
import numpy as np
import polars as pl
import pytest
from PIL import Image

import pellucid
from pellucid.cli.dispatch import main
from pellucid.errors import DataError
from pellucid.model.verifier import Gallery, Strangers, likeness
from pellucid.networks.embedder import telling_apart
from pellucid.tasks.verify.trials import Trials, run_trials

PICTURES, SIDE = 6, 32


def picture(person, turn):
    """A "person" is a set of bright bars at angles of its own; light and place change from picture to picture."""
    own, chance = np.random.default_rng(person), np.random.default_rng(1000 * person + turn)
    down, across = np.mgrid[:SIDE, :SIDE] / SIDE
    value = 110 + chance.uniform(-220, 220) * (across - 0.5) + chance.uniform(-180, 180) * (down - 0.5)
    for _ in range(5):
        angle, place, width = own.uniform(0, np.pi), own.uniform(-0.35, 0.35), own.uniform(0.03, 0.08)
        along = (down - 0.5) * np.cos(angle) + (across - 0.5) * np.sin(angle)
        value = value + 60 * np.exp(-((along - place - chance.normal(scale=0.01)) / width) ** 2)
    return np.clip(value + chance.normal(scale=6, size=value.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """People to learn from, people to enrol, and pictures at the door."""
    root = tmp_path_factory.mktemp("faces")

    def write(part, people, turns):
        for person in people:
            (root / part / f"p{person}").mkdir(parents=True)
            for turn in turns:
                Image.fromarray(picture(person, turn)).save(root / part / f"p{person}" / f"{turn}.png")

    write("learn", range(16), range(PICTURES))
    write("staff", range(50, 54), range(3))
    write("door", range(50, 58), range(3, PICTURES))  # four of them are strangers
    return root


@pytest.fixture(scope="module")
def run(folders):
    return pellucid.train(folders / "learn", task="verify", run=folders / "run", members=2, epochs=1,
                          test_size=0.4)


def test_new_identities_are_told_apart_better_than_by_pixels(run):
    metrics = run.metrics
    assert metrics["network"]["equal_error_rate"] < metrics["baselines"]["pixels"]["equal_error_rate"]
    assert metrics["network"]["rank_one"] > 0.8
    assert "Strangers and friends" in (run.folder / "report.html").read_text()


def test_enrol_save_load_and_recognise(run, folders, tmp_path, capsys):
    model = folders / "run" / "model.pellucid"
    known = tmp_path / "known.pellucid"
    assert main(["enrol", str(model), str(folders / "staff"), "--output", str(known)]) == 0
    capsys.readouterr()
    assert main(["predict", str(known), str(folders / "door"), "--quiet"]) == 0
    rows = pl.read_csv(capsys.readouterr().out.encode())
    assert rows.columns == ["file", "prediction", "score", "nearest"] and len(rows) == 24
    staff = rows.filter(pl.col("file").str.contains("p5[0-3]"))
    assert (staff["nearest"] == staff["file"].str.slice(0, 3)).mean() > 0.9
    strangers = rows.filter(~pl.col("file").str.contains("p5[0-3]"))
    assert strangers["score"].mean() < staff["score"].mean()
    found = pellucid.load(known).evaluate(folders / "door")["metrics"]
    assert found["rank_one"] > 0.9 and found["false_accept_rate"] <= found["identification_rate"]


def test_nobody_is_known_before_enrolling(run, folders, capsys):
    assert run.model.gallery.names == ()
    with pytest.raises(DataError, match="Nobody is enrolled"):
        run.model.predict(folders / "door")
    assert main(["predict", str(folders / "run" / "model.pellucid"), str(folders / "door")]) == 2
    assert "pellucid enrol" in capsys.readouterr().err


def test_enrolling_again_adds_examples(run, folders):
    once = run.model.enrol(folders / "staff")
    twice = once.enrol(folders / "door")
    assert len(once.gallery.names) == 4 and len(twice.gallery.names) == 8
    assert np.count_nonzero(twice.gallery.owner == 0) == 6


def test_identities_with_one_picture_are_named_and_too_few_refused(tmp_path, folders):
    for person in range(3):
        (tmp_path / "few" / f"p{person}").mkdir(parents=True)
        for turn in range(2):
            Image.fromarray(picture(person, turn)).save(tmp_path / "few" / f"p{person}" / f"{turn}.png")
    with pytest.raises(DataError, match="Only 3 identities have two pictures"):
        pellucid.train(tmp_path / "few", task="verify", run=tmp_path / "run")
    table = pl.DataFrame({"age": range(20), "name": [f"p{row % 5}" for row in range(20)]})
    with pytest.raises(DataError, match="needs a column of pictures"):
        pellucid.train(table, "name", task="verify", run=tmp_path / "other")


def test_rates_are_those_of_their_definition():
    trials = Trials(genuine=np.array([0.9, 0.8, 0.3]), impostor=np.array([0.1, 0.2, 0.85, 0.05]),
                    own=np.array([0.9, 0.8, 0.3]), right=np.array([True, True, False]),
                    strange=np.array([0.1, 0.85]), enrolled=2)
    found = trials.metrics(0.5, threshold=0.5)
    assert found["identification_rate"] == pytest.approx(2 / 3) and found["false_accept_rate"] == 0.5
    assert 0.25 <= found["equal_error_rate"] <= 1 / 3
    random = np.random.default_rng(0)
    middles = random.normal(size=(8, 5))
    vectors = (middles[:, None] + 0.05 * random.normal(size=(8, 4, 5))).reshape(-1, 5)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    easy = run_trials(vectors, np.repeat(np.arange(8), 4), seed=0)
    assert easy.equal_error_rate < 0.1 and easy.metrics(0.01)["rank_one"] > 0.95
    assert run_trials(vectors[:4], np.arange(4), seed=0) is None


def test_the_threshold_grows_with_those_enrolled():
    strangers = Strangers.fit(np.linspace(0, 1, 5000))
    levels = [strangers.threshold(0.05, count) for count in (1, 10, 100)]
    assert levels == sorted(levels) and levels[0] == pytest.approx(0.95, abs=2e-3)


def test_likeness_lies_between_mean_and_largest_cosine():
    examples = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    found = likeness(np.array([[1.0, 0.0]]), examples, np.array([0, 0, 1]), 2)
    np.testing.assert_allclose(found, [[0.75, 1.0]])
    assert Gallery().with_examples(["a", "b", "a"], examples).names == ("a", "b")


def test_what_varies_within_an_identity_is_shrunk():
    random = np.random.default_rng(0)
    people = np.repeat(np.arange(10), 6)
    features = random.normal(size=(10, 4))[people] + random.normal(size=(60, 4)) * [3.0, 0.1, 0.1, 0.1]
    weight, bias = telling_apart(features, people)
    moved = features @ weight + bias
    np.testing.assert_allclose(moved.mean(axis=0), 0, atol=1e-9)
    assert np.ptp(moved[:, 0]) < 0.5 * np.ptp(features[:, 0]) and np.ptp(moved[:, 1]) > 0.8 * np.ptp(features[:, 1])
