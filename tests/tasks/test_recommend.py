"""Recommending: from made-up ratings with planted tastes to ratings, lists and reports; what can be wrong with them."""
import numpy as np
import polars as pl
import pytest

import pellucid
from pellucid.cli.dispatch import main
from pellucid.core.declared import TRAIN
from pellucid.data.read import as_table
from pellucid.errors import DataError, SettingsError
from pellucid.model.ranking import list_quality, shown_share, top_items
from pellucid.tasks.recommend.columns import recognise
from pellucid.tasks.recommend.judge import split
from pellucid.tasks.recommend.plain import fit_plain
from pellucid.tasks.recommend.ratings import read_ratings

USERS, ITEMS, EACH = 40, 16, 8


def tastes(seed=0):
    """Users like even items or odd ones, by their own number."""
    generator, rows = np.random.default_rng(seed), []
    for user in range(USERS):
        fits = np.arange(ITEMS) % 2 == user % 2
        for item in generator.choice(ITEMS, EACH, replace=False, p=np.where(fits, 3, 1) / np.where(fits, 3, 1).sum()):
            stars = 2 + 2 * fits[item] + generator.integers(0, 2)
            rows.append({"user_id": f"u{user}", "item": f"i{item}", "stars": int(stars)})
    return rows


def read(rows, target=None, **settings):
    return read_ratings(as_table(rows), target, TRAIN.check({"task": "recommend", **settings}))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recommend")
    pl.DataFrame(tastes()).write_csv(folder / "ratings.csv")
    return pellucid.train(folder / "ratings.csv", run=folder / "run", epochs=120, members=2)


def test_the_task_is_found_and_judged_beside_plain_methods(run):
    assert run.metrics["task"] == "recommend"
    assert any(note["kind"] == "task_found" and "`user_id` names users" in note["message"]
               for note in run.metrics["warnings"])
    assert set(run.metrics["baselines"]) == {"mean", "user_and_item_means", "popularity", "item_neighbours"}
    assert run.metrics["network"]["rmse"] < 0.8 * run.metrics["baselines"]["mean"]["rmse"]
    assert run.metrics["network"]["ndcg_at_10"] > run.metrics["baselines"]["popularity"]["ndcg_at_10"]
    assert 0.7 < run.metrics["promise"]["coverage_measured"] <= 1
    page = (run.folder / "report.html").read_text()
    for title in ("Lists for some users", "Popular and rare items", "A map of the items"):
        assert title in page


def test_lists_leave_out_what_was_rated_and_follow_tastes(run):
    model = pellucid.load(run.folder / "model.pellucid")
    lists = model.predict([{"user_id": "u0"}, {"user_id": "u1"}, {"user_id": "stranger"}])
    frame = lists.to_frame()
    assert frame.columns == ["user", "rank", "item", "score", "rating"]
    rated = {row["item"] for row in tastes() if row["user_id"] == "u0"}
    assert not rated & set(frame.filter(pl.col("user") == "u0")["item"])
    assert [note.kind for note in lists.notes] == ["unseen_users"]
    told = model.recommend(ratings={"i0": 5, "i2": 5, "i1": 2}, top=3)
    assert all(int(name[1:]) % 2 == 0 for name in told.item) and set(told.item).isdisjoint({"i0", "i2"})
    assert (np.diff(told.score) <= 0).all()


def test_pairs_get_ratings_with_intervals_and_the_unknown_is_answered(run):
    found = run.model.predict([{"user_id": "u0", "item": "i0"}, {"user_id": "u0", "item": "i1"},
                               {"user_id": "new", "item": "i1"}, {"user_id": "u0", "item": "new"}])
    assert found.prediction[0] > found.prediction[1] + 1
    assert ((found.lower <= found.prediction) & (found.prediction <= found.upper)).all()
    assert (found.lower >= 2).all() and (found.upper <= 5).all() and np.isfinite(found.prediction).all()
    assert {note.kind for note in found.notes} == {"unseen_users", "unseen_items"}
    spelled = run.model.predict([{"User ID": "u0", "Item": "i0"}])
    assert spelled.prediction[0] == pytest.approx(found.prediction[0], abs=1e-5)
    assert run.model.evaluate(tastes(1))["metrics"]["rmse"] < 1.2


@pytest.mark.parametrize(("asked", "words"), [({"user": "u0", "top": 0}, "top"), ({}, "neither"),
                                              ({"ratings": {"i99": 5}}, "i99")])
def test_wrong_questions_are_told(run, asked, words):
    with pytest.raises(SettingsError, match=words):
        run.model.recommend(**asked)


def test_clicks_by_the_command_line(tmp_path, capsys):
    liked = [row for row in tastes() if row["stars"] > 3]
    clicks = pl.DataFrame([{"customer": row["user_id"], "product": row["item"]} for row in liked])
    clicks.write_csv(tmp_path / "clicks.csv")
    folder, customers = tmp_path / "run", tmp_path / "customers.csv"
    assert main(["train", str(tmp_path / "clicks.csv"), "--run", str(folder), "--epochs", "3", "--members", "1",
                 "--quiet"]) == 0
    clicks.select("customer").unique(maintain_order=True).head(2).write_csv(customers)
    capsys.readouterr()
    assert main(["predict", str(folder / "model.pellucid"), str(customers), "--top", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "user,rank,item,score" and len(lines) == 7
    assert main(["evaluate", str(folder / "model.pellucid"), str(tmp_path / "clicks.csv")]) == 0


def test_what_is_wrong_with_ratings_is_counted_by_name():
    rows = [dict(row) for row in tastes()]
    rows[0]["stars"], rows[1]["stars"], rows[2]["user_id"], rows[3]["item"] = 55, "many", None, ""
    found = read([*rows, {**rows[10], "stars": 1}, {"user_id": "single", "item": "only", "stars": 4}])
    counts = {(note.kind, note.column): note.count for note in found.notes}
    assert counts["outside_scale", "stars"] == 1 and counts["rating_missing", "stars"] == 1
    assert counts["missing_ids", "user_id"] == 1 and counts["missing_ids", "item"] == 1
    assert counts["repeated_pairs", None] == 1 and counts["single_ratings", "user_id"] == 1
    assert len(found) == len(rows) - 4 + 1 and (found.low, found.high) == (1, 5)


def test_numbers_and_texts_name_the_same_things():
    rows = [{"user": number % 5, "item": float(number % 3), "rating": number % 4} for number in range(40)]
    texts = [{"user": str(row["user"]), "item": str(int(row["item"])), "rating": str(row["rating"])} for row in rows]
    first, second = read(rows), read(texts)
    assert first.users.tolist() == second.users.tolist() and first.items.tolist() == second.items.tolist()
    assert len(first) == 15  # one for each pair, the last


@pytest.mark.parametrize(("rows", "words"), [
    ([{"user": "a", "item": str(n), "rating": n % 5} for n in range(20)], "only one user"),
    ([{"user": str(n), "item": str(n % 4), "rating": n % 5} for n in range(20)], "one row only"),
    ([{"user": "a", "item": "b", "rating": "good"}] * 12, "no numbers"),
    ([{"user": str(n % 2), "item": str(n), "rating": n} for n in range(6)], "Only 6"),
    ([{"user": None, "item": "b", "rating": 1}, {"user": None, "item": "b", "rating": 2}], "No row"),
])
def test_tables_without_a_lesson_are_refused(rows, words):
    with pytest.raises(DataError, match=words):
        read(rows)


def test_columns_are_recognised_only_where_they_say_so():
    table = as_table(tastes())
    assert "`stars` says how much" in recognise(table, None) and recognise(table, "stars")
    assert recognise(table, "item") is None
    churn = as_table([{"customer_id": str(n), "product": "x" if n % 2 else "y", "left": n % 3} for n in range(30)])
    assert recognise(churn, "left") is None and recognise(churn, None) is None
    with pytest.raises(SettingsError, match="two things"):
        read(tastes(), user_column="item", item_column="item")


def test_each_user_keeps_ratings_to_learn_from_and_time_divides():
    found = read([{**row, "when": f"2024-01-{1 + place % 28:02d}"} for place, row in enumerate(tastes())],
                 time_column="when")
    parts = split(found, 0.25, 0, by_time=True)
    assert len(parts.train) + len(parts.test) == len(found) and len(parts.test) == USERS * 2
    for user in range(USERS):
        newest = found.moment[parts.train][found.user[parts.train] == user].max()
        assert newest <= found.moment[parts.test][found.user[parts.test] == user].min()


def test_lists_and_their_quality_by_hand():
    scores = np.array([[3.0, 2.0, 1.0, 0.0]])
    top = top_items(scores, np.array([[True, False, False, True]]), 3)
    assert top.tolist() == [[1, 2, -1]]
    recall, gain = list_quality(top, np.array([[False, False, True, False]]))
    assert recall[0] == 1 and gain[0] == pytest.approx(1 / np.log2(3)) and shown_share(top, 4) == 0.5


def test_neighbours_and_means_fit_tastes():
    found = read(tastes())
    plain = {one.name: one for one in fit_plain(found, len(found.items), 3.0, 0)}
    error = {name: float(np.mean((plain[name].rate(found.user, found.item) - found.value) ** 2))
             for name in ("mean", "user_and_item_means", "item_neighbours")}
    assert error["item_neighbours"] < error["user_and_item_means"] <= error["mean"] + 1e-9
    assert plain["item_neighbours"].rank(np.arange(2)).shape == (2, len(found.items))
