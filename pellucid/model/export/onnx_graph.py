"""NumPy code traced to an ONNX graph.

A `Wire` stands for an array that is known only when the graph runs. NumPy functions called with one add a node to the
graph and return a new wire; so the same lines that compute with arrays write down the computation.
"""
from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from scipy.special import erf, expit, ndtri

from pellucid.errors import MissingExtraError

OPSET = 17
ML_OPSET = 3
IR_VERSION = 8  # the pair that goes with opset 17: read by onnxruntime from 1.12 on
STRING = np.dtype(object)


def onnx_package() -> Any:
    """The package `onnx`; `MissingExtraError` where it is not installed."""
    try:
        import onnx
    except ImportError:
        raise MissingExtraError.of("onnx", "onnx", "Writing an ONNX file") from None
    return onnx


class Wire(NDArrayOperatorsMixin):
    """An array of a graph, known by name and type only.

    Args:
        graph: where it lives.
        name: its name there.
        dtype: the type of its elements.
    """

    def __init__(self, graph: Graph, name: str, dtype: Any) -> None:
        self.graph, self.name, self.dtype = graph, name, np.dtype(dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options or ufunc not in UFUNCS:
            return NotImplemented
        return UFUNCS[ufunc](self.graph, *inputs)

    def __array_function__(self, function: Callable, _types: Any, args: Sequence[Any],
                           options: Mapping[str, Any]) -> Any:
        if function not in FUNCTIONS:
            return NotImplemented
        wires = [one for one in _flat(args) if isinstance(one, Wire)]
        return FUNCTIONS[function](wires[0].graph, *args, **options)

    def astype(self, dtype: Any, copy: bool = True) -> Wire:
        """The same numbers in another type."""
        dtype = np.dtype(dtype)
        return self if dtype == self.dtype else self.graph.node("Cast", [self], dtype, to=_element_type(dtype))


def _flat(values: Any) -> list[Any]:
    return [one for value in values for one in (value if isinstance(value, (list, tuple)) else [value])]


def _element_type(dtype: np.dtype) -> int:
    onnx = onnx_package()
    return onnx.TensorProto.STRING if dtype == STRING else onnx.helper.np_dtype_to_tensor_dtype(dtype)


class Graph:
    """An ONNX graph that grows.

    Args:
        reserved: names that inputs or outputs will have.
    """

    def __init__(self, reserved: Collection[str] = ()) -> None:
        self.onnx, self.reserved = onnx_package(), set(reserved)
        self.nodes, self.constants, self.inputs, self.outputs = [], [], [], []

    def _fresh(self, stem: str) -> str:
        name = f"{stem}_{len(self.nodes) + len(self.constants)}"
        while name in self.reserved:
            name += "_"
        return name

    def input(self, name: str, dtype: Any) -> Wire:
        """A column of the table: (rows, 1)."""
        wire = Wire(self, name, dtype)
        self.inputs.append(self.onnx.helper.make_tensor_value_info(name, _element_type(wire.dtype), ["rows", 1]))
        return wire

    def output(self, name: str, wire: Wire, shape: Sequence[int | str]) -> None:
        """What the graph gives."""
        self.nodes.append(self.onnx.helper.make_node("Identity", [wire.name], [name]))
        self.outputs.append(self.onnx.helper.make_tensor_value_info(name, _element_type(wire.dtype), shape))

    def constant(self, value: Any, dtype: Any = None) -> Wire:
        """A fixed array."""
        array = np.asarray(value, dtype)
        name = self._fresh("constant")
        if array.dtype.kind in "UO":
            words = [str(word).encode("utf-8") for word in array.ravel()]
            self.constants.append(self.onnx.helper.make_tensor(name, self.onnx.TensorProto.STRING, array.shape, words))
            return Wire(self, name, STRING)
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name))
        return Wire(self, name, array.dtype)

    def node(self, operator: str, inputs: Sequence[Any], dtype: Any, domain: str = "", **attributes: Any) -> Wire:
        """One more operation, and what comes out of it."""
        names = [(one if isinstance(one, Wire) else self.constant(one)).name for one in inputs]
        out = Wire(self, self._fresh(operator), dtype)
        self.nodes.append(self.onnx.helper.make_node(operator, names, [out.name], domain=domain, **attributes))
        return out

    def alike(self, values: Sequence[Any]) -> list[Wire]:
        """The values as wires of the one type that NumPy would compute in."""
        dtype = np.result_type(*(value if isinstance(value, (int, float, bool)) else value.dtype for value in values))
        return [value.astype(dtype) if isinstance(value, Wire) else self.constant(value, dtype) for value in values]

    def model(self, metadata: Mapping[str, str], version: str) -> bytes:
        """The finished file, checked by `onnx` itself."""
        helper = self.onnx.helper
        graph = helper.make_graph(self.nodes, "pellucid", self.inputs, self.outputs, self.constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="pellucid",
                                  producer_version=version)
        helper.set_model_props(model, dict(metadata))
        self.onnx.checker.check_model(model)
        return model.SerializeToString()


# ---------------------------------------------------------------- NumPy functions as operations
Translation = Callable[..., Wire]


def _same(operator: str) -> Translation:
    """An operation on values of one type that gives that type."""
    def translate(graph: Graph, *values: Any) -> Wire:
        wires = graph.alike(values)
        return graph.node(operator, wires, wires[0].dtype)
    return translate


def _truth(operator: str) -> Translation:
    """An operation on values of one type that gives truth values."""
    def translate(graph: Graph, *values: Any) -> Wire:
        return graph.node(operator, graph.alike(values), bool)
    return translate


def _power(graph: Graph, base: Wire, exponent: Any) -> Wire:
    return base * base if isinstance(exponent, int) and exponent == 2 else NotImplemented


def _erf(graph: Graph, x: Wire) -> Wire:
    """In float32: onnxruntime has no other."""
    return graph.node("Erf", [x.astype(np.float32)], np.float32).astype(x.dtype)


def _polynomial(x: Any, *coefficients: float) -> Any:
    """From the highest power down."""
    total = coefficients[0]
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total


def normal_score(share: Any) -> Any:
    """The inverse normal distribution function by quotients of polynomials; within 1e-6 for shares that are at least
    1e-10 away from 0 and 1.

    Source: Wichura 1988, "Algorithm AS 241: The percentage points of the normal distribution", PPND7.
    """
    offset = share - 0.5
    inner = 0.180625 - offset * offset
    middle = offset * (_polynomial(inner, 59.109374720, 159.29113202, 50.434271938, 3.3871327179)
                       / _polynomial(inner, 67.187563600, 78.757757664, 17.895169469, 1.0))
    outer = np.sqrt(-np.log(np.minimum(share, 1 - share))) - 1.6
    tail = (_polynomial(outer, 0.17023821103, 1.3067284816, 2.7568153900, 1.4234372777)
            / _polynomial(outer, 0.12021132975, 0.73700164250, 1.0))
    return np.where(np.abs(offset) <= 0.425, middle, np.where(offset < 0, -tail, tail))


def _interp(graph: Graph, x: Wire, knots: np.ndarray, heights: np.ndarray) -> Wire:
    """`np.interp` for (rows, 1): find the bin by counting the knots passed, then go along its line."""
    passed = np.sum((x >= knots[None, :]).astype(np.int64), axis=1, keepdims=True)  # (rows, 1)
    width = np.diff(knots)
    slopes = np.where(width > 0, np.diff(heights) / np.where(width > 0, width, 1), 0)
    start = np.concatenate([knots[:1], knots])
    slope = np.concatenate([[0.0], slopes, [0.0]])
    height = np.concatenate([heights[:1], heights])
    picked = [graph.node("Gather", [table, passed], np.float64) for table in (start, slope, height)]
    return picked[1] * (x - picked[0]) + picked[2]


def _clip(graph: Graph, x: Wire, low: float, high: float) -> Wire:
    return graph.node("Clip", [x, *(graph.constant(end, x.dtype) for end in (low, high))], x.dtype)


def _where(graph: Graph, condition: Any, yes: Any, no: Any) -> Wire:
    wires = graph.alike([yes, no])
    return graph.node("Where", [condition, *wires], wires[0].dtype)


def _concatenate(graph: Graph, parts: Sequence[Any], axis: int = 0) -> Wire:
    wires = graph.alike(parts)
    return wires[0] if len(wires) == 1 else graph.node("Concat", wires, wires[0].dtype, axis=axis)


def _reduce(operator: str) -> Translation:
    def translate(graph: Graph, x: Wire, axis: int, keepdims: bool = False) -> Wire:
        if operator == "ReduceSum":  # whose axes are an input since opset 13
            return graph.node(operator, [x, np.array([axis])], x.dtype, keepdims=int(keepdims))
        return graph.node(operator, [x], x.dtype, axes=[axis], keepdims=int(keepdims))
    return translate


def _best(operator: str) -> Translation:
    def translate(graph: Graph, x: Wire, axis: int) -> Wire:
        return graph.node(operator, [x], np.int64, axis=axis, keepdims=0)
    return translate


def _take(graph: Graph, x: Wire, indices: Any, axis: int) -> Wire:
    return graph.node("Gather", [x, np.asarray(indices, np.int64)], x.dtype, axis=axis)


def _take_along_axis(graph: Graph, table: np.ndarray, codes: Wire, axis: int) -> Wire:
    """For a table (members, codes, channels) and codes (1, rows, 1): (members, rows, channels)."""
    return graph.node("Gather", [table, np.reshape(codes, (-1,))], table.dtype, axis=axis)


def _expand_dims(graph: Graph, x: Wire, axis: int | tuple[int, ...]) -> Wire:
    return graph.node("Unsqueeze", [x, np.atleast_1d(np.asarray(axis, np.int64))], x.dtype)


def _reshape(graph: Graph, x: Wire, shape: Sequence[int]) -> Wire:
    return graph.node("Reshape", [x, np.asarray(shape, np.int64)], x.dtype)


def _transpose(graph: Graph, x: Wire, axes: Sequence[int]) -> Wire:
    return graph.node("Transpose", [x], x.dtype, perm=list(axes))


UFUNCS: dict[np.ufunc, Translation] = {
    np.add: _same("Add"), np.subtract: _same("Sub"), np.multiply: _same("Mul"), np.true_divide: _same("Div"),
    np.matmul: _same("MatMul"), np.minimum: _same("Min"), np.maximum: _same("Max"), np.negative: _same("Neg"),
    np.absolute: _same("Abs"), np.sqrt: _same("Sqrt"), np.exp: _same("Exp"), np.log: _same("Log"),
    np.cos: _same("Cos"), np.sin: _same("Sin"), np.tanh: _same("Tanh"), expit: _same("Sigmoid"), erf: _erf,
    np.power: _power, np.log1p: lambda graph, x: np.log(1 + x), np.expm1: lambda graph, x: np.exp(x) - 1,
    ndtri: lambda graph, x: normal_score(x),
    np.greater: _truth("Greater"), np.greater_equal: _truth("GreaterOrEqual"), np.less: _truth("Less"),
    np.less_equal: _truth("LessOrEqual"), np.isnan: _truth("IsNaN"), np.isinf: _truth("IsInf"),
    np.logical_or: _truth("Or"), np.bitwise_or: _truth("Or"),
}
FUNCTIONS: dict[Callable, Translation] = {
    np.clip: _clip, np.where: _where, np.concatenate: _concatenate, np.interp: _interp, np.mean: _reduce("ReduceMean"),
    np.sum: _reduce("ReduceSum"), np.max: _reduce("ReduceMax"), np.argmax: _best("ArgMax"), np.argmin: _best("ArgMin"),
    np.take: _take, np.take_along_axis: _take_along_axis, np.expand_dims: _expand_dims, np.reshape: _reshape,
    np.transpose: _transpose,
}
