"""Series from tables: sorted, one value a step, gaps filled and told."""
import datetime

import numpy as np
import polars as pl
import pytest

from pellucid.data.panel import DAY, Roles, clock_from_json, read_panel
from pellucid.data.read import as_table
from pellucid.data.windows import Frame, cut
from pellucid.errors import DataError

ROLES = Roles("time", "value")


def panel_of(times, values, **more):
    return read_panel(as_table(pl.DataFrame({"time": times, "value": values, **more})),
                      Roles("time", "value", *more))


def days(count, every=1, start=datetime.date(2024, 1, 1)):
    return [start + datetime.timedelta(days=every * step) for step in range(count)]


@pytest.mark.parametrize(("times", "kind", "label", "following"), [
    (days(40), "seconds", "day", "2024-02-10"),
    (days(40, 7), "seconds", "week", "2024-10-07"),
    ([f"{2000 + step // 12}-{step % 12 + 1:02d}-01" for step in range(30)], "months", "month", "2002-07-01"),
    ([f"{2000 + step // 4}-{3 * (step % 4) + 1:02d}-01" for step in range(20)], "months", "quarter", "2005-01-01"),
    ([f"{1990 + step}-12-31" for step in range(20)], "months", "year", "2010-12-31"),
    (["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"] * 1, "months", "month", "2024-05-30"),
    (list(range(1700, 1730)), "numbers", "step of 1", 1730),
    ([day for day in days(60) if day.weekday() < 5], "business", "business day", "2024-03-01"),
    ([day for step, day in enumerate(days(60)) if step % 7 not in (1, 2, 5)], "order", "row", None),
])
def test_the_clock_is_found(times, kind, label, following):
    panel, clock, _ = panel_of(times, np.arange(len(times), dtype=float))
    assert (clock.kind, clock.label) == (kind, label) and len(panel[0]) == len(times)
    assert clock_from_json(clock.to_json()) == clock
    if following is not None:
        assert clock.words(clock.after(panel[0].times[-1], 1)) == [following]


def test_rows_out_of_order_repeated_and_lacking_are_mended_and_told():
    times = days(20)
    order = [*range(10, 20), *range(10)]
    values = [float(step) for step in order]
    values[3] = None
    panel, _, notes = panel_of([times[step] for step in order] + [times[0]], [*values, 4.0])
    one = panel[0]
    np.testing.assert_allclose(one.values, [2.0, *range(1, 20)])  # the first moment has two values, 0 and 4
    assert one.observed.sum() == 19 and not one.observed[13]
    assert {"unsorted", "repeated_times", "missing_values", "gaps"} <= {note.kind for note in notes}


def test_gaps_in_a_regular_series_are_filled():
    kept = [step for step in range(40) if step not in (7, 8, 20)]
    panel, clock, notes = panel_of([days(40)[step] for step in kept], [float(step) for step in kept])
    np.testing.assert_allclose(panel[0].values, np.arange(40))
    assert (~panel[0].observed).sum() == 3 and clock.every == DAY
    assert next(note for note in notes if note.kind == "gaps").count == 3


def test_several_series_are_kept_apart():
    panel, _, _ = panel_of(days(10) + days(6), [*range(10), *range(100, 106)], shop=["a"] * 10 + ["b"] * 6)
    assert [(one.name, len(one)) for one in panel] == [("a", 10), ("b", 6)]


@pytest.mark.parametrize(("times", "values", "words"), [
    (["soon", "later", "never"] * 5, range(15), "holds no dates"), (days(15), ["x"] * 15, "holds no numbers")])
def test_what_holds_neither_times_nor_numbers_is_refused(times, values, words):
    with pytest.raises(DataError, match=words):
        panel_of(times, list(values))


def test_windows_hold_past_and_future():
    panel, clock, _ = panel_of(days(30), np.arange(30.0) ** 2 + 1)
    frame = Frame(length=4, horizon=2, calendar=("week",), logarithm=True, typical=1.0)
    windows = cut(panel, clock, frame)
    assert len(windows) == 30 - 4 - 2 + 1 and windows.numbers.shape == (25, 6)
    values = panel[0].values
    np.testing.assert_allclose(windows.future[0], values[4:6])
    np.testing.assert_allclose(windows.past[0] * windows.scale[0] + windows.level[0], np.log(values[:4]))
    np.testing.assert_allclose(windows.raw(windows.scaled(windows.future, frame), frame), windows.future)
    last = cut(panel, clock, frame, first=[29], known=False)
    assert len(last) == 1 and np.isnan(last.future).all()
