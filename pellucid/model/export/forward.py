"""The network of a saved model in plain NumPy, all members at once.

The same lines run on arrays and are traced to an ONNX graph (`onnx_graph`): they keep to the NumPy functions that are
translated there, and to shapes that do not need the number of rows.
"""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import UserError
from pellucid.features.targets import ClassTarget, NumberTarget
from pellucid.model.export.activations import Function, log_softmax, numpy_activations, softmax
from pellucid.uncertainty.calibrator import Calibrator

EPSILON = 1e-5  # of layer and batch normalisation
ONE_HOT_LIMIT = 20  # where the specification names none
EMBEDDING = "network.number_embedding"
Parts = list[tuple[np.ndarray, bool]]
"""Arrays (1 or members, rows, channels), and whether they differ from member to member."""


@dataclass(frozen=True, eq=False)
class SavedNetwork:
    """The members of a model file.

    Args:
        spec: of the network, as in model.json.
        tensors: by pytree path, each with a leading member axis.
    """

    spec: Mapping[str, Any]
    tensors: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        if self.spec.get("network") != "tabular":
            raise UserError(f"A network of the kind `{self.spec.get('network')}` cannot be exported.",
                            "only networks for tables can: those that `pellucid.train` and the estimators make")

    def __len__(self) -> int:
        return len(self.tensors["network.body.output.weight"])

    def outputs(self, numbers: np.ndarray | None, codes: Sequence[np.ndarray]) -> np.ndarray:
        """What each member gives.

        Args:
            numbers: (rows, number channels); `None` where there are none.
            codes: for each category, whole numbers (rows, 1).

        Returns:
            (members, rows, outputs): logits, or standardised numbers.
        """
        given = [] if numbers is None else [(np.expand_dims(numbers, 0), False)]
        coded = self._coded(codes)
        joined = self._together([*self._embedded(numbers), *coded])
        if "network.scale.factor" in self.tensors:
            joined = joined * self._row("network.scale.factor")
        past = None
        if "network.skip.weight" in self.tensors:
            past = self._dense("network.skip", self._together([*given, *coded]))
        return self._body(joined, past)

    # ------------------------------------------------------------ inputs
    def _spread(self, part: np.ndarray, axes: int = 3) -> np.ndarray:
        """The same for every member: a leading axis of 1 becomes one of all members."""
        return part if len(self) == 1 else part * np.ones((len(self), *[1] * (axes - 1)), part.dtype)

    def _together(self, parts: Parts) -> np.ndarray:
        """Joined along the channels."""
        varied = any(own for _, own in parts)
        return np.concatenate([self._spread(part) if varied and not own else part for part, own in parts], axis=-1)

    def _coded(self, codes: Sequence[np.ndarray]) -> Parts:
        """Each category as one channel per level, or as a learned vector."""
        cardinalities = self.spec["cardinalities"]
        limit = (self.spec.get("categories") or {}).get("one_hot_limit", ONE_HOT_LIMIT)
        tables = [(column, one_hot_table(size), False) for column, size in enumerate(cardinalities)
                  if 1 < size <= limit]
        learned = [column for column, size in enumerate(cardinalities) if size > limit]
        tables += [(column, self.tensors[f"network.category_embeddings.{place}.vectors"], True)
                   for place, column in enumerate(learned)]
        return [(np.take_along_axis(table, np.expand_dims(codes[column], 0), axis=1), own)
                for column, table, own in tables]

    def _embedded(self, numbers: np.ndarray | None) -> Parts:
        """The numbers, embedded or as they are."""
        if numbers is None:
            return []
        functions = {"edges.value": self._piecewise, "frequency": self._periodic}
        function = next((functions[name] for name in functions if f"{EMBEDDING}.{name}" in self.tensors), None)
        if function is None:
            return [(np.expand_dims(numbers, 0), False)]
        options, width = self.spec.get("numbers") or {}, self.spec["num_numbers"]
        columns = list(range(width)) if options.get("columns") is None else list(options["columns"])
        others = [column for column in range(width) if column not in columns]
        parts = [function(np.take(numbers, columns, axis=1), bool(options.get("raw", True)))]
        return parts + ([(np.expand_dims(np.take(numbers, others, axis=1), 0), False)] if others else [])

    def _piecewise(self, x: np.ndarray, raw: bool) -> tuple[np.ndarray, bool]:
        """See `nn.PiecewiseLinearEmbedding`: (rows, features) to (members or 1, rows, channels)."""
        edges = self.tensors[f"{EMBEDDING}.edges.value"].astype(x.dtype)
        alike = bool((edges == edges[:1]).all())  # fitted on the training rows, so they mostly are
        edges = np.expand_dims(edges[:1] if alike else edges, 1)  # (members or 1, 1, features, bins + 1)
        width = edges[..., 1:] - edges[..., :-1]
        real = width > 0
        rate = np.where(real, 1 / np.where(real, width, 1), 0).astype(x.dtype)
        x = np.expand_dims(x, (0, 3))  # (1, rows, features, 1)
        way = np.where(real, 2 * np.clip((x - edges[..., :-1]) * rate, 0.0, 1.0) - 1, 0.0)
        own, size = not alike, width.shape[-1]
        if f"{EMBEDDING}.mix.weight" in self.tensors:
            way, own, size = self._mix(way), True, self.tensors[f"{EMBEDDING}.mix.bias"].shape[-1]
        if raw:
            way = np.concatenate([self._spread(x, 4) if own else x, way], axis=-1)
        return np.reshape(way, (len(self) if own else 1, -1, edges.shape[2] * (size + raw))), own

    def _periodic(self, x: np.ndarray, _raw: bool) -> tuple[np.ndarray, bool]:
        """See `nn.PeriodicEmbedding`: (rows, features) to (members, rows, channels)."""
        frequency = np.expand_dims(self.tensors[f"{EMBEDDING}.frequency"], 1)  # (members, 1, features, frequencies)
        x = np.expand_dims(x, (0, 3))
        angle, phase = (2 * math.pi) * x * frequency, self.tensors.get(f"{EMBEDDING}.phase")
        size = self.tensors[f"{EMBEDDING}.mix.bias"].shape[-1]
        if phase is None:
            mixed = np.maximum(self._mix(np.concatenate([np.cos(angle), np.sin(angle)], axis=-1)), 0.0)
        else:
            mixed = self._mix(np.cos(angle + np.expand_dims(phase, 1)))
            mixed, size = np.concatenate([self._spread(x, 4), mixed], axis=-1), size + 1
        return np.reshape(mixed, (len(self), -1, frequency.shape[2] * size)), True

    def _mix(self, x: np.ndarray) -> np.ndarray:
        """A dense layer of its own for each feature: (members, rows, features, in) to (…, out)."""
        by_feature = np.transpose(x, (0, 2, 1, 3)) @ self.tensors[f"{EMBEDDING}.mix.weight"]
        return np.transpose(by_feature, (0, 2, 1, 3)) + np.expand_dims(self.tensors[f"{EMBEDDING}.mix.bias"], 1)

    # ------------------------------------------------------------ body
    def _body(self, x: np.ndarray, past: np.ndarray | None) -> np.ndarray:
        settings = self.spec.get("body") or {}
        activate = numpy_activations[settings.get("activation", "relu")]
        residual, inputs, index = "network.body.stem.weight" in self.tensors, x, 0
        values = self._dense("network.body.stem", x) if residual else x
        while any(name.startswith(f"network.body.hidden.{index}.") for name in self.tensors):
            block = self._residual if residual else self._hidden
            values, index = block(values, index, activate), index + 1
        if residual:
            values = activate(self._normalised(values, "network.body.closing", index))
        total = self._dense("network.body.output", values)
        if "network.body.skip.weight" in self.tensors:
            total = total + self._dense("network.body.skip", inputs)
        total = total if past is None else total + past
        return numpy_activations[settings.get("output_activation", "identity")](total)

    def _hidden(self, x: np.ndarray, index: int, activate: Function) -> np.ndarray:
        path = f"network.body.hidden.{index}"
        return activate(self._normalised(self._dense(f"{path}.dense", x), f"{path}.normalisation", index))

    def _residual(self, x: np.ndarray, index: int, activate: Function) -> np.ndarray:
        path = f"network.body.hidden.{index}"
        inner = self._normalised(x, f"{path}.normalisation", index)
        inner = self._dense(f"{path}.second", activate(self._dense(f"{path}.first", inner)))
        narrow = f"{path}.shortcut.weight" in self.tensors
        return (self._dense(f"{path}.shortcut", x) if narrow else x) + inner

    def _normalised(self, x: np.ndarray, path: str, index: int) -> np.ndarray:
        """Layer or batch normalisation, or none, as the tensors say."""
        if f"{path}.scale" not in self.tensors:
            return x
        scale, shift = self._row(f"{path}.scale"), self._row(f"{path}.shift")
        if f"state.{index}.mean" in self.tensors:
            factor = scale / np.sqrt(self._row(f"state.{index}.variance") + EPSILON)
            return (x - self._row(f"state.{index}.mean")) * factor + shift
        centred = x - np.mean(x, axis=-1, keepdims=True)
        variance = np.mean(centred * centred, axis=-1, keepdims=True)
        return centred / np.sqrt(variance + EPSILON) * scale + shift

    def _dense(self, path: str, x: np.ndarray) -> np.ndarray:
        total = x @ self.tensors[f"{path}.weight"]
        return total + self._row(f"{path}.bias") if f"{path}.bias" in self.tensors else total

    def _row(self, name: str) -> np.ndarray:
        """A vector of each member, (members, 1, channels)."""
        return np.expand_dims(self.tensors[name], 1)


def one_hot_table(cardinality: int) -> np.ndarray:
    """What `nn.OneHot` gives for each code: float32 (1, cardinality, channels)."""
    if cardinality == 3:
        return np.array([[[0.0], [-1.0], [1.0]]], np.float32)
    return np.eye(cardinality, dtype=np.float32)[None, :, 1:]


def answers(outputs: np.ndarray, target: ClassTarget | NumberTarget, calibrator: Calibrator,
            single: bool) -> np.ndarray:
    """The mean answer of all members, float64: probabilities (rows, classes), or numbers (rows, 1).

    Args:
        outputs: as from `SavedNetwork.outputs`.
        target: what is predicted.
        calibrator: from logits to probabilities.
        single: whether one logit stands for two classes: that of the second, the first one's being 0.
    """
    outputs = outputs.astype(np.float64)
    if isinstance(target, NumberTarget):
        return np.mean(np.clip(outputs * target.scale + target.center, target.low, target.high), axis=0)
    if single:
        outputs = outputs @ np.array([[0.0, 1.0]])
    outputs = outputs / calibrator.temperature
    if calibrator.bias:
        scale = np.array(calibrator.scale or [1.0])
        outputs = log_softmax(outputs) * scale + np.array(calibrator.bias)
    return np.mean(softmax(outputs), axis=0)
