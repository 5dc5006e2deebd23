"""The trained model that recognises again: enrol a few examples of each identity, then ask whose a new one is."""
from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl

from pellucid.core.note import Note
from pellucid.data.read import as_table
from pellucid.data.table import Table
from pellucid.errors import DataError, did_you_mean
from pellucid.explain.game import Question
from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import Inputs, encode_inputs
from pellucid.features.types import feature_from_json
from pellucid.features.values import as_text
from pellucid.model.base import AbstractModel
from pellucid.model.members import Members
from pellucid.model.verify_questions import questions

UNKNOWN = "unknown"
MOST_EXAMPLES = 20
"""Examples of one identity that are kept; more tell little."""
MOST_COMPARISONS = 2000


@dataclass(frozen=True, eq=False)
class Recognitions:
    """Whose each row is.

    Args:
        prediction: (rows,) the nearest identity, or "unknown" below the threshold or where nothing could be read.
        nearest: (rows,) the nearest identity in any case.
        score: float64 (rows,): its likeness, up to 1; NaN where nothing could be read.
        threshold: from where on a row is accepted.
        files: of the rows, where they came from a folder.
        notes: what was noticed.
    """

    prediction: np.ndarray
    nearest: np.ndarray
    score: np.ndarray
    threshold: float
    files: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    first_row: int = 0

    def __len__(self) -> int:
        return len(self.prediction)

    def to_frame(self) -> pl.DataFrame:
        """A data frame: `file` or `row`, `prediction`, `score`, `nearest`."""
        own = {"file": list(self.files)} if self.files else {
            "row": np.arange(self.first_row, self.first_row + len(self))}
        return pl.DataFrame({**own, "prediction": self.prediction.tolist(), "score": self.score,
                             "nearest": self.nearest.tolist()})

    def to_json(self) -> list[dict[str, Any]]:
        """One object a row, of plain values."""
        return [{name: None if isinstance(value, float) and not np.isfinite(value) else value
                 for name, value in row.items()} for row in self.to_frame().iter_rows(named=True)]

    def to_csv(self, header: bool = True) -> str:
        """Comma-separated text."""
        out = io.BytesIO()
        self.to_frame().write_csv(out, include_header=header)
        return out.getvalue().decode("utf-8")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.to_json())

    def _repr_html_(self) -> str:
        return self.to_frame()._repr_html_()


@dataclass(frozen=True, eq=False)
class Gallery:
    """The examples that were enrolled.

    Args:
        names: the identities.
        vectors: float32 (examples, features), of length 1.
        owner: int64 (examples,) the number of each example's identity.
    """

    names: tuple[str, ...] = ()
    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    owner: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def scores(self, asked: np.ndarray) -> np.ndarray:
        """float64 (rows, identities): see `likeness`."""
        return likeness(asked, self.vectors, self.owner, len(self.names))

    def with_examples(self, names: Sequence[str], vectors: np.ndarray) -> Gallery:
        """Further examples; those of known identities are added to theirs."""
        everyone = tuple(dict.fromkeys((*self.names, *names)))
        place = {name: number for number, name in enumerate(everyone)}
        owner = np.concatenate([self.owner, [place[name] for name in names]]).astype(np.int64)
        joined = np.concatenate([self.vectors, vectors]) if len(self.vectors) else vectors
        kept = np.concatenate([np.flatnonzero(owner == one)[-MOST_EXAMPLES:] for one in range(len(everyone))])
        return Gallery(everyone, joined[kept].astype(np.float32), owner[kept])


def likeness(asked: np.ndarray, vectors: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    """How alike each row is to each identity: between the mean and the largest cosine with its examples.

    Args:
        asked: (rows, features), of length 1; `vectors`: (examples, features) likewise.
        owner: (examples,) the identity of each example, from 0 to `count` - 1.
    """
    cosines = np.asarray(asked, np.float64) @ np.asarray(vectors, np.float64).T
    return np.stack([(cosines[:, owner == one].mean(axis=1) + cosines[:, owner == one].max(axis=1)) / 2
                     for one in range(count)], axis=1) if count else np.zeros((len(asked), 0))


@dataclass(frozen=True, eq=False)
class Strangers:
    """How alike examples of one identity are to another, among identities that were left out of learning.

    Args:
        likeness: float64 (up to 2,000), rising: the largest ones.
        count: how many comparisons there were.
    """

    likeness: np.ndarray
    count: int

    @classmethod
    def fit(cls, likeness: np.ndarray) -> Strangers:
        """Keep the largest."""
        return cls(np.sort(np.asarray(likeness, np.float64))[-MOST_COMPARISONS:], len(likeness))

    def threshold(self, false_accepts: float, enrolled: int) -> float:
        """The likeness that a stranger reaches with some of `enrolled` identities at this rate; 1 where too few
        comparisons were made to tell."""
        each = 1 - (1 - false_accepts) ** (1 / max(enrolled, 1))
        above = int(np.floor(each * (self.count + 1)))
        if above < 1 or not len(self.likeness):
            return float(self.likeness[-1]) if len(self.likeness) else 1.0
        return float(self.likeness[-min(above, len(self.likeness))])


@dataclass(frozen=True, eq=False)
class Verifier(AbstractModel):
    """Networks that bring pictures of one identity near to each other, and the examples that were enrolled.

    Args:
        features: how the pictures are encoded.
        identity: the column of names.
        strangers: how alike strangers are; sets the threshold for as many identities as are enrolled.
        false_accepts: the share of strangers that may be let through.
        members: the networks.
        gallery: the enrolled examples; empty after training.

    Example:
        >>> model = pellucid.load("model.pellucid").enrol("staff")  # doctest: +SKIP
        >>> model.predict("at the door").to_frame()  # doctest: +SKIP
    """

    tasks: ClassVar[tuple[str, ...]] = ("verify",)

    features: tuple[AbstractFeature, ...]
    identity: str
    strangers: Strangers
    false_accepts: float
    members: Members
    gallery: Gallery = field(default_factory=Gallery)
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """`"verify"`."""
        return "verify"

    @property
    def threshold(self) -> float:
        """The likeness from which a row is accepted."""
        return self.strangers.threshold(self.false_accepts, len(self.gallery.names))

    def vectors(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """float32 (rows, members · features), of length 1: the points of all networks side by side."""
        return side_by_side(self.members.outputs(dict(inputs["columns"][0])))

    def probe_inputs(self) -> dict[str, Any]:
        """Made-up pictures."""
        return dict(super().probe_inputs()["columns"][0])

    def enrol(self, data: Any) -> Verifier:
        """The same model that knows the identities in `data` as well.

        Args:
            data: a folder with one sub-folder for each identity, or a table with the columns of training.

        Raises:
            DataError: the column of names is lacking, or nothing can be read.
        """
        table = as_table(data)
        if self.identity not in table.names:
            raise DataError(f"The data lack the column `{self.identity}` that names the identities.",
                            "enrol from a folder with one sub-folder for each identity, or add the column")
        names, inputs = self._names(table), encode_inputs(self.features, table)
        good = np.flatnonzero(~inputs.missing.any(axis=1) & np.array([bool(name) for name in names]))
        if not len(good):
            raise DataError("None of the examples could be read.", "; ".join(note.message for note in inputs.notes)
                            or "give at least one example of each identity")
        vectors = self.vectors(inputs.arrays)[good]
        return replace(self, gallery=self.gallery.with_examples([names[row] for row in good], vectors))

    def _names(self, table: Table) -> list[str]:
        return as_text(table.column(self.identity).cast(pl.String)).fill_null("").to_list()

    def recognise(self, inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
        """The nearest identity (rows,) as a number, and its likeness; NaN where nothing could be read."""
        if not self.gallery.names:
            raise DataError("Nobody is enrolled yet.", "enrol examples first: `pellucid enrol MODEL FOLDER --output "
                            "known.pellucid`, or `model.enrol(folder)`")
        scores = self.gallery.scores(self.vectors(inputs.arrays))
        nearest = scores.argmax(axis=1)
        best = scores[np.arange(len(scores)), nearest]
        return nearest, np.where(inputs.missing.any(axis=1), np.nan, best)

    def predict(self, data: Any, *, coverage: float | None = None) -> Recognitions:
        """Whose each row of `data` is: the nearest enrolled identity, or unknown. `coverage` is not used.

        Raises:
            DataError: nobody is enrolled yet.
        """
        table = as_table(data)
        inputs = encode_inputs(self.features, table)
        nearest, score = self.recognise(inputs)
        names = np.array(self.gallery.names, dtype=object)[nearest]
        said = np.where(np.nan_to_num(score, nan=-np.inf) >= self.threshold, names, UNKNOWN)
        files = () if table.files is None else tuple(table.files.to_list())
        return Recognitions(said, names, score, self.threshold, files, (*table.notes, *inputs.notes))

    def questions(self, data: Any, *, asked: Any = None, instead_of: Any = None, seed: int = 0) -> Iterator[Question]:
        """What is to be explained of each row: how much more it is like the identity `asked`, the nearest one if not
        given, than like another; see `explain`."""
        table = as_table(data)
        return questions(self, table, encode_inputs(self.features, table), asked=asked, instead_of=instead_of,
                         seed=seed)

    def evaluate(self, data: Any) -> dict[str, Any]:
        """Rows with known identities against those enrolled: who is found, and which strangers are let through."""
        table = as_table(data)
        if self.identity not in table.names:
            raise DataError(f"The data lack the column `{self.identity}`.", did_you_mean(self.identity, table.names))
        truth, found = np.array(self._names(table), dtype=object), self.predict(table)
        readable = np.isfinite(found.score)
        known = np.isin(truth, self.gallery.names) & readable
        strange = ~np.isin(truth, self.gallery.names) & readable
        right, let_in = found.prediction == truth, found.prediction != UNKNOWN
        metrics = {"identification_rate": float(right[known].mean()) if known.any() else None,
                   "rank_one": float((found.nearest == truth)[known].mean()) if known.any() else None,
                   "false_accept_rate": float(let_in[strange].mean()) if strange.any() else None}
        return {"task": "verify", "target": self.identity, "rows": int(readable.sum()),
                "left_out": int((~readable).sum()), "metrics": metrics, "promise": {}}

    def of_members(self, chosen: Sequence[int]) -> Verifier:
        """The same verifier with some of its networks, and their part of the points of enrolled examples."""
        own = np.asarray(chosen)
        points = self.gallery.vectors.reshape(len(self.gallery.vectors), len(self.members), -1)[:, own]
        points = points.reshape(len(points), -1) * np.sqrt(len(self.members) / len(own))
        return replace(self, members=self.members.only(own), gallery=replace(
            self.gallery, vectors=points.astype(np.float32)))

    def extra_tensors(self) -> dict[str, np.ndarray]:
        """The enrolled examples."""
        own = {"vectors": self.gallery.vectors, "owner": self.gallery.owner} if self.gallery.names else {}
        return own | {"likeness": self.strangers.likeness}

    def to_record(self) -> dict[str, Any]:
        """Everything but the tensors, as JSON values."""
        return {**self.common_record(), "identity": self.identity, "comparisons": self.strangers.count,
                "false_accepts": self.false_accepts, "enrolled": list(self.gallery.names)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], members: Members, extra: Mapping[str, np.ndarray]) -> Verifier:
        """The model that a file holds."""
        known = tuple(record["enrolled"])
        gallery = Gallery(known, extra["vectors"], extra["owner"]) if known else Gallery()
        return cls(tuple(feature_from_json(one) for one in record["features"]), record["identity"],
                   Strangers(extra["likeness"], int(record["comparisons"])), float(record["false_accepts"]), members,
                   gallery, record["settings"], record["metrics"], record["about"])

    def about_lines(self) -> Sequence[str]:
        """Who is enrolled."""
        return (f"Recognises `{self.identity}` again. {len(self.gallery.names)} identities are enrolled; of each, the "
                "file holds points, not pictures.",)

    def __repr__(self) -> str:
        return f"Verifier(`{self.identity}`, {len(self.gallery.names)} enrolled, {len(self.members)} networks)"


def side_by_side(outputs: np.ndarray) -> np.ndarray:
    """(members, rows, features) as (rows, members · features) of length 1: cosines are means over the members."""
    length = np.sqrt(np.sum(np.square(outputs, dtype=np.float64), axis=2, keepdims=True) + 1e-12)
    each = outputs / length / np.sqrt(len(outputs))
    return np.moveaxis(each, 0, 1).reshape(outputs.shape[1], -1).astype(np.float32)
