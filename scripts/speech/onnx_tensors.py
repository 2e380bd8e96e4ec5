"""What the package `onnx` reads in ONNX files: operators, and each tensor with its type, shape and a checksum of its
bytes; and of Silero VAD the tensors as they are converted. Writes tests/fixtures/onnx/NAME.json.

Usage: onnx_tensors.py FILE.onnx ...
"""

import collections
import json
import pathlib
import sys
import zlib

import numpy as np
import onnx
from onnx import numpy_helper

FIXTURES = pathlib.Path(__file__).parents[2] / 'tests/fixtures/onnx'
BASIS = 'stft.forward_basis_buffer'


def graphs(graph):
    """A graph and those inside its nodes, level by level."""
    found = [graph]
    for g in found:
        for node in g.node:
            for attribute in node.attribute:
                if attribute.HasField('g'):
                    found.append(attribute.g)
                found.extend(attribute.graphs)
    return found


def constants(graph):
    """Names and tensors: initializers, then values of Constant nodes, graph by graph."""
    for g in graphs(graph):
        for tensor in g.initializer:
            yield tensor.name, tensor
        for node in g.node:
            for attribute in node.attribute:
                if node.op_type == 'Constant' and attribute.name == 'value':
                    yield node.output[0], attribute.t


def listed(name, ty, array):
    return [name, ty, list(array.shape), zlib.crc32(np.ascontiguousarray(array).tobytes())]


def converted(arrays):
    """Silero VAD for 16 kHz, as its GGUF file has it."""
    prefix = next(name.removesuffix(BASIS) for name, a in arrays.items() if name.endswith(BASIS) and a.shape == (258, 1, 256))
    of = lambda name: arrays[prefix + name]
    tensors = {'stft.weight': of(BASIS)[:, 0]}
    for i in range(4):
        tensors[f'encoder.{i}.weight'] = of(f'encoder.{i}.reparam_conv.weight').swapaxes(1, 2)
        tensors[f'encoder.{i}.bias'] = of(f'encoder.{i}.reparam_conv.bias')
    for here, there in [('input', 'ih'), ('hidden', 'hh')]:
        tensors[f'lstm.{here}.weight'] = of(f'decoder.rnn.weight_{there}')
        tensors[f'lstm.{here}.bias'] = of(f'decoder.rnn.bias_{there}')
    tensors['output.weight'] = of('decoder.decoder.2.weight')[:, :, 0]
    tensors['output.bias'] = of('decoder.decoder.2.bias')
    return [listed(name, 'F32', array) for name, array in tensors.items()]


for path in map(pathlib.Path, sys.argv[1:]):
    model = onnx.load(path)
    arrays = {name: numpy_helper.to_array(tensor) for name, tensor in constants(model.graph)}
    nodes = [node for g in graphs(model.graph) for node in g.node]
    result = {
        'opset': model.opset_import[0].version,
        'graphs': len(graphs(model.graph)),
        'operators': dict(sorted(collections.Counter(node.op_type for node in nodes).items())),
        'tensors': [
            listed(name, onnx.TensorProto.DataType.Name(tensor.data_type), numpy_helper.to_array(tensor))
            for name, tensor in constants(model.graph)
        ],
        'converted': converted(arrays),
    }
    FIXTURES.mkdir(exist_ok=True)
    lines = json.dumps(result, separators=(',', ':')).replace('],[', '],\n[')
    (FIXTURES / f'{path.stem}.json').write_text(lines + '\n')
