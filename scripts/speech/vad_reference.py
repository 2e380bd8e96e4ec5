"""Silero VAD by ONNX Runtime: activations of some frames of a recording, and the probability of each frame.

    python3 vad_reference.py silero_vad_16k_op15.onnx RECORDING.wav OTHER.onnx ...

writes tests/fixtures/silero_vad/NAME.npy: of each activation the frames of `FRAMES` one after the other, places by channels; and
`probabilities.npy`. Other files of the network must give the same probabilities.
"""

import sys
import wave
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

FIXTURES = Path(__file__).parents[2] / 'tests/fixtures/silero_vad'
FRAME, CONTEXT, RATE = 512, 64, 16000
# The first one, with nothing before; what is hard to tell; silence; speech; the last one of a minute.
FRAMES = [0, 62, 290, 700, 1461, 1874]

# Ours, the export's `(1, C, T)`.
NAMES = {
    'stft': '/model/stft/Sqrt_output_0',
    **{f'encoder.{i}': f'/model/encoder/{i}/activation/Relu_output_0' for i in range(4)},
}


def session(path, outputs):
    model = onnx.load(path)
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in outputs)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model.SerializeToString(), options, providers=['CPUExecutionProvider'])


def run(path, samples, outputs=()):
    """For each frame its probability, the state after it (h, c) and the outputs."""
    network = session(path, outputs)
    state = np.zeros((2, 1, 128), np.float32)
    context = np.zeros(CONTEXT, np.float32)
    for frame in samples.reshape(-1, FRAME):
        feeds = {'input': np.concatenate([context, frame])[None], 'state': state, 'sr': np.array(RATE)}
        probability, state, *found = network.run(['output', 'stateN', *outputs], feeds)
        context = frame[-CONTEXT:]
        yield probability.item(), state[:, 0], [a[0].T for a in found]


if __name__ == '__main__':
    path, recording, *others = sys.argv[1:]
    with wave.open(recording) as w:
        assert (w.getnchannels(), w.getsampwidth(), w.getframerate()) == (1, 2, RATE)
        samples = np.frombuffer(w.readframes(w.getnframes()), '<i2').astype(np.float32) / 32768
    samples = np.pad(samples, (0, -len(samples) % FRAME))

    frames = list(run(path, samples, NAMES.values()))
    probabilities = np.array([probability for probability, _, _ in frames], np.float32)
    for other in others:
        same = [probability for probability, _, _ in run(other, samples)]
        print(other, 'differs by', np.abs(probabilities - same).max())
    FIXTURES.mkdir(exist_ok=True)
    chosen = [frames[i] for i in FRAMES]
    found = {name: [a for _, _, outputs in chosen for a in outputs[i].ravel()] for i, name in enumerate(NAMES)}
    found |= {name: [v for _, state, _ in chosen for v in state[i]] for i, name in enumerate('hc')}
    for name, values in {**found, 'probabilities': probabilities}.items():
        np.save(FIXTURES / f'{name}.npy', np.array(values, np.float32))
    print(len(frames), 'frames,', (probabilities > 0.5).mean(), 'speech,', probabilities[FRAMES])
