"""What trained models of all tasks have in common: the file they are kept in, and how they are asked."""
from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import polars as pl

from pellucid.core.declared import EXPLAIN
from pellucid.core.note import Note
from pellucid.core.registry import Registry
from pellucid.data.folder import as_films
from pellucid.data.read import as_table
from pellucid.data.table import Table
from pellucid.errors import SettingsError
from pellucid.explain.answer import answer
from pellucid.explain.explanation import Explanation
from pellucid.explain.faithfulness import ModelChecks
from pellucid.explain.game import Question
from pellucid.features.base import AbstractFeature
from pellucid.features.inputs import probe_inputs
from pellucid.model.archive import Archive, flatten, write_archive
from pellucid.model.card import model_card, plain_values
from pellucid.model.checks import check_model
from pellucid.model.members import Members
from pellucid.networks.describe import Description, describe

EXTRA = "extra."
"""Before the names of tensors that are no weights."""


class Answers(Protocol):
    """What a model says about rows: one value that turns into a data frame, JSON or CSV."""

    notes: tuple[Note, ...]
    first_row: int

    def __len__(self) -> int: ...

    def to_frame(self) -> pl.DataFrame: ...

    def to_json(self) -> list[dict[str, Any]]: ...

    def to_csv(self, header: bool = True) -> str: ...

    def __iter__(self) -> Iterator[dict[str, Any]]: ...


class AbstractModel(ABC):
    """Trained networks with everything that they need to answer: scaling, vocabularies, calibration.

    Subclasses are frozen dataclasses with at least the fields below; each is registered in `model_kinds` under the
    tasks that it serves.

    Args:
        features: how each input column is encoded.
        members: the networks.
        settings: what the model was trained with.
        metrics: its quality on rows that were not used for anything else.
        about: versions, data fingerprint, date: information only.
    """

    tasks: ClassVar[tuple[str, ...]] = ()
    questions_of: ClassVar[str] = "row"
    """What a question is about: a row of the data, or a series."""
    features: tuple[AbstractFeature, ...]
    members: Members
    settings: Mapping[str, Any]
    metrics: Mapping[str, Any]
    about: Mapping[str, Any]

    @property
    @abstractmethod
    def task(self) -> str:
        """One of `core.names.TASKS`."""

    @abstractmethod
    def predict(self, data: Any, *, coverage: float | None = None) -> Answers:
        """An answer for every row of `data`."""

    @abstractmethod
    def evaluate(self, data: Any) -> dict[str, Any]:
        """The quality on rows with known answers: `task`, `target`, `rows`, `left_out`, `metrics`, `promise`."""

    def questions(self, data: Any, *, asked: Any = None, instead_of: Any = None, seed: int = 0) -> Iterator[Question]:
        """What is to be explained of each row of `data`, one after another; see `explain`.

        Raises:
            SettingsError: models of this task cannot be explained.
        """
        raise SettingsError(f"`explain` does not know the task `{self.task}`.", "explain a model of another task")

    def table(self, data: Any) -> Table:
        """`data` as a table; a folder is read as what the model knows: as series, or as a film for each of its folders.

        Raises:
            DataError: it cannot be read.
        """
        table = as_table(data, series=any(feature.kind == "series" for feature in self.features))
        watched = any(feature.kind == "video" and feature.name not in table.names for feature in self.features)
        return as_films(table) if watched else table

    def num_questions(self, data: Any) -> int:
        """How many predictions of `data` can be explained: one for each row, or for each series of a forecast."""
        return len(self.table(data))

    def explain(self, data: Any, *, asked: Any = None, instead_of: Any = None, method: str | None = None,
                faithfulness: bool = True, rows: Sequence[int] | None = None, seed: int = 0) -> list[Explanation]:
        """Why each prediction is what it is: how much each part of a row speaks for it.

        Args:
            data: a file, a data frame, a list of rows as mappings, or one row as a mapping.
            asked: what is asked about, rather than the predicted class: another class, an item to recommend, the step
                of a forecast (1 for the next one), or the identity that is claimed.
            instead_of: a class or an identity; it is explained why not this one.
            method: `"gradients"`, `"shapley"`, `"occlusion"` or `"grad_cam"`; chosen for the network when `None`.
            faithfulness: whether each explanation is tested.
            rows: the numbers of those to explain, from 0 and rising; all when `None`. A forecast explains series.
            seed: of all chance: the same seed gives the same explanation.

        Raises:
            DataError: a column is lacking; it is named.
            SettingsError: a value is not permitted, or does not fit the model.

        Example:
            >>> reasons = model.explain("new clients.csv")  # doctest: +SKIP
            >>> print(*reasons[0].sentences(), sep="\\n")  # doctest: +SKIP
        """
        method, numbers = EXPLAIN["method"].check(method), rows
        if rows is not None and self.questions_of == "row":
            data, numbers = self.table(data).take(list(rows)), range(len(rows))
        checks = self.checks
        if faithfulness and checks is None:
            checks = check_model(self, data, seed=seed)
        found = [answer(question, task=self.task, target=getattr(getattr(self, "target", None), "name", ""),
                        method=method, faithfulness=faithfulness, checks=checks, seed=seed)
                 for question in self.questions(data, asked=asked, instead_of=instead_of, seed=seed)
                 if numbers is None or question.row in numbers]
        return found if rows is None else [replace(one, row=row) for one, row in zip(found, rows, strict=True)]

    def changes(self, data: Any, **wishes: Any) -> list[Any]:
        """What would change the answers; see `Model.changes`. Models of other tasks cannot say."""
        raise SettingsError(f"`change` does not know the task `{self.task}`.", "ask a model of classes or numbers")

    def similar(self, data: Any, *, count: int = 3) -> list[Any]:
        """The training rows most like each row; see `Model.similar`. Models of other tasks cannot say."""
        raise SettingsError(f"`similar` does not know the task `{self.task}`.", "ask a model of classes or numbers")

    @property
    def checks(self) -> ModelChecks | None:
        """What was found out about explanations of this model when it was trained; `None` for older files."""
        found = self.about.get("explaining")
        return None if found is None else ModelChecks.from_json(found)

    @abstractmethod
    def to_record(self) -> dict[str, Any]:
        """Everything but the tensors, as JSON values; begin with `self.common_record()`."""

    @classmethod
    @abstractmethod
    def from_record(cls, record: Mapping[str, Any], members: Members, extra: Mapping[str, np.ndarray]) -> Self:
        """The model that a file holds; `KeyError`, `TypeError` or `ValueError` where its parts do not fit."""

    def extra_tensors(self) -> dict[str, np.ndarray]:
        """Arrays besides the weights that the file holds, by name."""
        return {}

    @property
    def inside(self) -> str:
        """What of the training data the file holds, for its card."""
        return ("Weights, the scaling and vocabularies of the columns, and calibration. Words of categories that "
                "occurred at least twice are inside; no training row is.")

    def probe_inputs(self) -> dict[str, Any]:
        """Made-up encoded rows, asked at saving and again at loading."""
        return probe_inputs(self.features)

    def about_lines(self) -> Sequence[str]:
        """Further lines of the card, in Markdown."""
        return ()

    def common_record(self) -> dict[str, Any]:
        """What the record of every model holds."""
        return {"task": self.task, "features": [feature.to_json() for feature in self.features],
                "network": dict(self.members.spec), "members": len(self.members),
                "settings": plain_values(self.settings), "metrics": plain_values(self.metrics),
                "about": plain_values(self.about)}

    def describe(self) -> Description:
        """The network in a table: layers, neurons, synapses, biases, shapes, operations, memory."""
        return describe(self.members.network())

    def of_members(self, chosen: Sequence[int]) -> Self:
        """The same model with some of its networks, by their numbers."""
        return replace(self, members=self.members.only(chosen))  # type: ignore[type-var]

    def with_metrics(self, metrics: Mapping[str, Any], about: Mapping[str, Any]) -> Self:
        """The same model with its measured quality written in."""
        return replace(self, metrics=dict(metrics), about=dict(about))  # type: ignore[type-var]

    def save(self, path: str | Path) -> Path:
        """Write the model to one file, without pickle; a full disk leaves what was there before.

        Raises:
            StorageError: the file cannot be written.
        """
        inputs = self.probe_inputs()
        probe = flatten(inputs) | {"outputs": self.members.outputs(inputs)}
        tensors = self.members.tensors() | {EXTRA + name: np.ascontiguousarray(array)  # safetensors writes raw memory
                                            for name, array in self.extra_tensors().items()}
        return write_archive(Archive(self.to_record(), tensors, probe, model_card(self)), path)

    def _repr_html_(self) -> str:
        return f"<p><b>{html.escape(repr(self))}</b></p>" + self.describe()._repr_html_()


model_kinds: Registry[type[AbstractModel]] = Registry("task of a model")
"""The class of a model by the task that its file names."""
