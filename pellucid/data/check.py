"""What the user should know about a table before training, and what makes training impossible."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.core.note import Note
from pellucid.data.leak import find_leaks
from pellucid.data.same import alike
from pellucid.data.schema import Column, Schema
from pellucid.data.split import duplicate_groups
from pellucid.data.table import Table
from pellucid.data.times import stepping_column
from pellucid.errors import DataError
from pellucid.features.targets import fit_class_target, recognise_target
from pellucid.features.types import MAX_LEVELS
from pellucid.features.values import read_numbers

FEWEST_ROWS = 10
FEW_ROWS = 250
TEST_SHARE = 0.2
MANY_MISSING = 0.5
MANY_LEVELS = 100
LARGE_MAJORITY = 0.8
RARE_CLASS = 10


def require_trainable(table: Table, schema: Schema, *, task: str | None = None) -> None:
    """Refuse a table from which nothing can be learned.

    Raises:
        DataError: one column, no target, a target without values or with one class, fewer than 10 rows with a target,
            or no usable column.
    """
    if len(table.names) < 2 and table.files is not None:
        raise DataError(f"The folder `{table.source}` has no sub-folders, so that nothing says what each file shows.",
                        "make one sub-folder for each class, or give a table with a column of paths and one of answers")
    if len(table.names) < 2:
        raise DataError(f"{table.source} has only one column, `{table.names[0]}`.",
                        "give at least one column to learn from besides the target; is the delimiter one of , ; tab |?")
    if not schema.targets:
        raise DataError("No target column is given.", f"name one of: {_shown(table.names)}")
    for target in schema.targets:
        _require_target(table, target, task)
    if not any(column.used for column in schema.features):
        reasons = "; ".join(f"`{column.name}` is {column.kind}: {column.reason}" for column in schema.features[:5])
        raise DataError("No column is left to learn from.", f"{reasons}. Override a type if it is wrong.")


def _shown(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:20]) + (", …" if len(names) > 20 else "")


def _require_target(table: Table, target: str, task: str | None) -> None:
    column = table.column(target)
    chosen, _ = recognise_target(target, column, task)
    if chosen == "classify":
        classes = fit_class_target(target, column)
        codes = classes.encode(column)
        rows, distinct = int((codes >= 0).sum()), len(classes.classes)
        if distinct == 1:
            raise DataError(f"The target `{target}` has only one class, {classes.classes[0]!r}.",
                            "there is nothing to tell apart; choose another target or add rows of other classes")
        if distinct > max(rows / 2, 10):
            raise DataError(f"The target `{target}` has {distinct:,} different classes in {rows:,} rows.",
                            "a class needs several rows; choose another target")
    else:
        values = read_numbers(column).values
        rows = int((~np.isnan(values)).sum())
        if rows and np.ptp(values[~np.isnan(values)] / 2) == 0:
            raise DataError(f"The target `{target}` has the same value in every row.", "choose another target")
    if rows < FEWEST_ROWS:
        raise DataError(f"Only {rows} rows have a target; at least {FEWEST_ROWS} are needed.",
                        "add rows: some hundreds give a useful result")


def check_columns(table: Table, needed: Sequence[str], known: Sequence[str] = ()) -> tuple[Note, ...]:
    """Compare the columns of new data with those of training.

    Args:
        table: the new data.
        needed: the columns that the model needs, in training order.
        known: columns that training had besides, such as the target.

    Returns:
        A note about extra columns and one about re-ordered ones. Lacking columns are an error of `encode_inputs`.
    """
    extra = [name for name in table.names if name not in set(needed) | set(known)]
    order = [name for name in table.names if name in set(needed)]
    notes = []
    if extra:
        verb = "columns that training did not have are" if len(extra) > 1 else "column that training did not have is"
        notes.append(Note("extra_columns", f"{len(extra)} {verb} left out: {_shown(extra)}.", count=len(extra),
                          severity="warning"))
    if order != [name for name in needed if name in set(order)]:
        notes.append(Note("reordered_columns", "The columns stand in another order than in training; they were matched "
                                               "by name."))
    return tuple(notes)


def check_table(table: Table, schema: Schema, *, task: str | None = None) -> tuple[Note, ...]:
    """Everything noticeable about a table, warnings first; includes the notes of reading.

    Args:
        table: the raw table.
        schema: see `infer_schema`.
        task: the user's choice of task, if any.
    """
    notes = [*table.notes, *_row_notes(table, schema)]
    for column in schema.columns:
        notes += _column_notes(column, len(table), column.name in schema.targets)
    for target in schema.targets:
        notes += _target_notes(table, schema, target, task)
    return tuple(sorted(notes, key=lambda note: note.severity != "warning"))


def _row_notes(table: Table, schema: Schema) -> list[Note]:
    rows, notes = len(table), []
    if rows < FEW_ROWS:
        tested = max(round(rows * TEST_SHARE), 1)
        margin = 100 * 1.96 * np.sqrt(0.25 / tested)
        message = (f"There are only {rows} rows: a test part of {tested} rows leaves the accuracy uncertain by up to "
                   f"±{min(margin, 50):.0f} percentage points, so take scores with care.")
        notes.append(Note("few_rows", message, count=rows, severity="warning"))
    time = stepping_column(table, schema)
    if time is not None:
        notes.append(Note("steps", f"Each row is the next step of `{time}`. Test rows drawn at random lie between "
                          "training rows, which is easier than to foresee: for the future, set the time column "
                          f"(`{time}`), or the task to forecast.", time, severity="warning"))
    groups = duplicate_groups(table, table.names)
    repeated = rows - len(np.unique(groups))
    if repeated:
        message = f"{repeated:,} of {rows:,} rows repeat an earlier row exactly; such rows never straddle a split."
        notes.append(Note("duplicate_rows", message, count=repeated, severity="warning"))
    inputs = [column.name for column in schema.features if column.used]
    if schema.targets and inputs:
        table = alike(table, schema)
        by_inputs = duplicate_groups(table, inputs)
        both = duplicate_groups(table, [*inputs, *schema.targets])
        pairs = np.unique(np.stack([by_inputs, both]), axis=1)[0]
        contradicting = int(np.isin(by_inputs, np.flatnonzero(np.bincount(pairs) > 1)).sum())
        if contradicting:
            message = (f"{contradicting:,} rows have the same inputs as another row but another target; no model can "
                       "get all of them right.")
            notes.append(Note("contradicting_rows", message, count=contradicting))
    return notes


def _column_notes(column: Column, rows: int, is_target: bool) -> list[Note]:
    name, present = column.name, rows - column.missing
    found = []

    def add(kind: str, message: str, count: int | None = None, severity: str = "info") -> None:
        found.append(Note(kind, message, name, count, severity))

    if column.infinite:
        add("infinite", f"`{name}` holds {column.infinite:,} infinite values; they count as missing.", column.infinite,
            "warning")
    if column.unreadable:
        add("mixed_types", f"`{name}` mixes numbers with other text: {column.unreadable:,} cells are no number and "
                           "count as missing.", column.unreadable, "warning")
    if is_target:
        if column.missing:
            add("target_missing", f"The target `{name}` has no value in {column.missing:,} of {rows:,} rows, which are "
                                  "left out.", column.missing, "warning")
        return found
    if column.kind == "ignore" and column.reason.startswith("constant"):
        add("constant", f"`{name}` is {column.reason}; it is left out.")
    if column.kind == "ignore" and not present:
        add("empty", f"`{name}` has no value in any row; it is left out.", column.missing, "warning")
    elif column.missing > MANY_MISSING * rows:
        add("many_missing", f"`{name}` is missing in {100 * column.missing / rows:.0f} % of the rows.", column.missing,
            "warning")
    if column.kind == "identifier" and not column.overridden:
        add("identifier", f"`{name}` looks like an identifier and is left out ({column.reason}); pass another type for "
                          "it if that is wrong.", column.distinct, "warning")
    if column.kind == "date":
        add("date", f"`{name}` holds dates: if the future is to be predicted from the past, split by it "
                    f"(time column `{name}`).")
    if column.kind == "category" and column.distinct > MANY_LEVELS:
        kept = f"; the {MAX_LEVELS:,} most frequent that occur twice are kept, the others count as \"other\""
        add("many_levels", f"`{name}` has {column.distinct:,} different values{kept}.", column.distinct, "warning")
    return found


def _target_notes(table: Table, schema: Schema, target: str, task: str | None) -> list[Note]:
    try:
        chosen, _ = recognise_target(target, table.column(target), task)
    except DataError as error:
        return [Note("target", error.message, target, severity="warning")]
    if chosen == "regress":
        return find_leaks(table, schema, target, None, read_numbers(table.column(target)).values)
    classes = fit_class_target(target, table.column(target))
    codes = classes.encode(table.column(target))
    return _class_notes(target, classes.classes, codes) + find_leaks(table, schema, target, codes, None)


def _class_notes(target: str, classes: Sequence[object], codes: np.ndarray) -> list[Note]:
    counts = np.bincount(codes[codes >= 0], minlength=len(classes))
    total = int(counts.sum())
    if len(classes) < 2:
        return [Note("one_class", f"The target `{target}` has only one class.", target, severity="warning")]
    notes = []
    most, least = int(counts.argmax()), int(counts.argmin())
    share, smallest = counts[most] / total, counts[least] / total
    if share >= LARGE_MAJORITY or smallest < 0.1 * share:
        message = (f"The classes of `{target}` are out of balance: {100 * share:.1f} % of the rows are "
                   f"`{classes[most]}` and {100 * smallest:.1f} % `{classes[least]}`. Always saying `{classes[most]}` "
                   f"is right in {100 * share:.1f} %, so look at the ROC AUC or the errors by class.")
        notes.append(Note("imbalance", message, target, int(counts[least]), "warning"))
    rare = np.flatnonzero(counts < RARE_CLASS)
    if len(rare):
        shown = ", ".join(f"`{classes[one]}` ({counts[one]})" for one in rare[:5]) + (", …" if len(rare) > 5 else "")
        message = f"Some classes of `{target}` have fewer than {RARE_CLASS} rows, too few to learn: {shown}."
        notes.append(Note("rare_class", message, target, len(rare), "warning"))
    return notes
