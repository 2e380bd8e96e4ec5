#!/usr/bin/env python3
"""Print a TFLite network, one operator a line.

usage: graph.py MODEL.tflite [--names]

A line is: operator's number, type(inputs) options -> output's shape. An input is `@N[shape]`, the output of operator N, or
`w:TYPE #T[shape]`, constant tensor T with its type as stored and `zeros` when it has no other value, or the values of an
integer constant. A constant behind DEQUANTIZE is float16 in the file, shown as `w:f16` with the number of the float16
tensor; the DEQUANTIZE operators themselves are not listed, but keep their numbers. SAME padding is shown as the rows and
columns it adds: pad top,bottom/left,right. With --names tensors have their names in the file instead of numbers.
"""
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

DTYPES = {"FLOAT32": "f32", "FLOAT16": "f16", "INT32": "i32"}


def names(enum: type) -> dict[int, str]:
    """{value: name} of one of the schema's enumerations."""
    return {value: name for name, value in vars(enum).items() if not name.startswith("_")}


OPERATORS, TYPES = names(schema.BuiltinOperator), names(schema.TensorType)
PADDINGS, ACTIVATIONS = names(schema.Padding), names(schema.ActivationFunctionType)


@dataclass(frozen=True)
class Operator:
    """One operator of a network, its tensors as indices."""

    index: int
    type: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: object  # the schema's table of this operator's options, or None


class Graph:
    """The only subgraph of a TFLite file."""

    def __init__(self, path: Path):
        model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
        if len(model.subgraphs) != 1:
            raise ValueError(f"{path}: {len(model.subgraphs)} subgraphs, 1 wanted")
        subgraph = model.subgraphs[0]
        self.tensors, self.buffers = subgraph.tensors, model.buffers
        self.inputs, self.outputs = list(subgraph.inputs), list(subgraph.outputs)
        self.operators = []
        for index, op in enumerate(subgraph.operators):
            code = model.operatorCodes[op.opcodeIndex]
            kind = OPERATORS[max(code.builtinCode, code.deprecatedBuiltinCode)]
            self.operators.append(Operator(index, kind, tuple(map(int, op.inputs)), tuple(map(int, op.outputs)), op.builtinOptions))
        self.producers = {tensor: op.index for op in self.operators for tensor in op.outputs}
        self.halves = {op.outputs[0]: op.inputs[0] for op in self.operators if op.type == "DEQUANTIZE"}

    def name(self, tensor: int) -> str:
        return self.tensors[tensor].name.decode()

    def shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(int(n) for n in self.tensors[tensor].shape)

    def is_constant(self, tensor: int) -> bool:
        data = self.buffers[self.tensors[tensor].buffer].data
        return tensor in self.halves or (data is not None and len(data) > 0)

    def dtype(self, tensor: int) -> str:
        """As stored: a float32 tensor that DEQUANTIZE makes is float16 in the file."""
        return DTYPES[TYPES[self.tensors[self.halves.get(tensor, tensor)].type]]

    def values(self, tensor: int) -> np.ndarray:
        """A constant's values as stored."""
        stored = self.tensors[self.halves.get(tensor, tensor)]
        dtype = {"f32": "<f4", "f16": "<f2", "i32": "<i4"}[self.dtype(tensor)]
        return np.frombuffer(bytes(self.buffers[stored.buffer].data), dtype).reshape(self.shape(tensor))

    def computing(self) -> list[Operator]:
        """The operators that are not DEQUANTIZE."""
        return [op for op in self.operators if op.type != "DEQUANTIZE"]


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """(before, after) of SAME padding: what is odd goes after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def window(graph: Graph, op: Operator) -> tuple[int, int]:
    """(height, width) of the window of a convolution or a pooling."""
    if op.type == "MAX_POOL_2D":
        return op.options.filterHeight, op.options.filterWidth
    return graph.shape(op.inputs[1])[1:3]


def option_text(graph: Graph, op: Operator) -> str:
    """What the operator's options say, without defaults."""
    options, parts = op.options, []
    if op.type in ("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D"):
        (_, height, width, _), (rows, cols) = graph.shape(op.inputs[0]), window(graph, op)
        parts += [f"k{rows}x{cols}", f"s{options.strideH}x{options.strideW}", PADDINGS[options.padding]]
        if PADDINGS[options.padding] == "SAME" and (rows, cols) != (1, 1):
            vertical, horizontal = same_padding(height, rows, options.strideH), same_padding(width, cols, options.strideW)
            parts.append("pad {},{}/{},{}".format(*vertical, *horizontal))
        if op.type != "MAX_POOL_2D" and (options.dilationHFactor, options.dilationWFactor) != (1, 1):
            parts.append(f"dilation {options.dilationHFactor}x{options.dilationWFactor}")
    if op.type == "DEPTHWISE_CONV_2D" and options.depthMultiplier not in (0, 1):
        parts.append(f"multiplier {options.depthMultiplier}")
    if op.type == "RESIZE_BILINEAR":
        parts += [f"align_corners={options.alignCorners}", f"half_pixel_centers={options.halfPixelCenters}"]
    if op.type == "CONCATENATION":
        parts.append(f"axis {options.axis}")
    if op.type == "MEAN":
        parts.append(f"keep_dims={options.keepDims}")
    activation = ACTIVATIONS[getattr(options, "fusedActivationFunction", 0)]
    return " ".join(parts + ([activation] if activation != "NONE" else []))


def shape_text(graph: Graph, tensor: int) -> str:
    return f"[{'x'.join(map(str, graph.shape(tensor)))}]"


def input_text(graph: Graph, tensor: int, with_names: bool) -> str:
    """How an input is written: see the docstring of this file."""
    if not graph.is_constant(tensor):
        label = f"@{graph.producers[tensor]}" if tensor in graph.producers else "input"
        return f"{graph.name(tensor) if with_names else label}{shape_text(graph, tensor)}"
    kind = graph.dtype(tensor)
    if kind == "i32":
        return f"{graph.values(tensor).tolist()}"
    label = graph.name(tensor) if with_names else f"#{graph.halves.get(tensor, tensor)}"
    return f"w:{kind} {label}{shape_text(graph, tensor)}{'' if graph.values(tensor).any() else ' zeros'}"


def listing(graph: Graph, with_names: bool) -> list[str]:
    lines = [f"input {graph.name(tensor)}{shape_text(graph, tensor)}" for tensor in graph.inputs]
    for op in graph.computing():
        inputs = ", ".join(input_text(graph, tensor, with_names) for tensor in op.inputs if tensor >= 0)
        (output,) = op.outputs
        label = f"{graph.name(output)} " if with_names else ""
        options = option_text(graph, op)
        lines.append(f"{op.index:3d} {op.type}({inputs}){' ' if options else ''}{options} -> {label}{shape_text(graph, output)}")
    return lines + [f"output {graph.name(tensor)}{shape_text(graph, tensor)} @{graph.producers[tensor]}" for tensor in graph.outputs]


if __name__ == "__main__":
    paths = [argument for argument in sys.argv[1:] if argument != "--names"]
    if len(paths) != 1:
        sys.exit(__doc__)
    print("\n".join(listing(Graph(Path(paths[0])), "--names" in sys.argv)))
