"""A TFLite network run by LiteRT: one thread, the built-in kernels, no delegate."""
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType


class Network:
    """Every operator's output can be read after a run."""

    def __init__(self, path: Path):
        self.interpreter = Interpreter(
            model_path=str(path), num_threads=1, experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
        self.interpreter.allocate_tensors()
        (self.input,) = self.interpreter.get_input_details()
        self.names = {tensor["index"]: tensor["name"] for tensor in self.interpreter.get_tensor_details()}
        self.operators = [op for op in self.interpreter._get_ops_details() if op["op_name"] != "DEQUANTIZE"]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(1, height, width, 3)"""
        return tuple(int(n) for n in self.input["shape"])

    def run(self, image: np.ndarray) -> list[np.ndarray]:
        """The outputs in the file's order, without the axis of the batch. image (height, width, 3), values in [0, 1]."""
        self.interpreter.set_tensor(self.input["index"], image.astype(np.float32).reshape(self.input_shape))
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(out["index"])[0].copy() for out in self.interpreter.get_output_details()]

    def activations(self) -> list[tuple[int, str, str, np.ndarray]]:
        """(operator's number, type, output's name, output) of the last run, without the constants of DEQUANTIZE."""
        return [(int(op["index"]), op["op_name"], self.names[int(out)], self.interpreter.get_tensor(int(out)))
                for op in self.operators for out in op["outputs"]]
