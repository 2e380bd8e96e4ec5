"""Segments of speech as the package `silero-vad` finds them, in probabilities of a recording and in random ones.

    pip install --no-deps silero-vad==6.2.3 && python3 vad_segments.py

reads tests/fixtures/silero_vad/probabilities.npy, which `vad_reference.py` writes, and writes segments.json beside it. What finds
segments is plain Python: torch, which the package imports, is not needed.
"""

import json
import random
import sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np

for name in ['torch', 'torch.nn', 'torch.nn.functional', 'torchaudio']:
    sys.modules[name] = MagicMock()
from silero_vad.utils_vad import get_speech_timestamps_from_probs  # noqa: E402

FIXTURES = Path(__file__).parents[2] / 'tests/fixtures/silero_vad'
FRAME = 512
# Around both levels of each threshold. None is one of them: float32 and float64 round them differently.
LEVELS = [0, 0.02, 0.14, 0.16, 0.29, 0.31, 0.34, 0.36, 0.49, 0.51, 0.69, 0.71, 0.84, 0.86, 1]
# Options by our names: each default, something else and extremes.
OPTIONS = {
    'threshold': [0.5, 0.5, 0.3, 0.85],
    'minSpeechMs': [250, 250, 0, 100, 1000],
    'minSilenceMs': [100, 100, 0, 32, 500],
    'padMs': [30, 30, 0, 200, 5000],
}


def case(probabilities, n_samples, threshold=0.5, minSpeechMs=250, minSilenceMs=100, padMs=30):
    found = get_speech_timestamps_from_probs(
        probabilities,
        threshold=threshold,
        min_speech_duration_ms=minSpeechMs,
        min_silence_duration_ms=minSilenceMs,
        speech_pad_ms=padMs,
        audio_length_samples=n_samples,
    )
    return [[s['start'], s['end']] for s in found]


rng = random.Random(1)
cases = []
for _ in range(150):
    # Runs of a level, so that there is speech and silence of all lengths.
    runs = [[rng.choice([1, 1, 2, 4, 5, 8, 9, 20]), rng.choice(LEVELS)] for _ in range(rng.randrange(30))]
    probabilities = [p for n, p in runs for _ in range(n)]
    n_samples = max(0, len(probabilities) * FRAME - rng.choice([0, 0, 1, 511]))
    options = {name: rng.choice(values) for name, values in OPTIONS.items()}
    cases.append({'runs': runs, 'samples': n_samples, 'options': options, 'segments': case(probabilities, n_samples, **options)})

probabilities = np.load(FIXTURES / 'probabilities.npy').tolist()
recording = case(probabilities, len(probabilities) * FRAME)
parts = ['"recording":' + json.dumps(recording), '"random":[\n' + ',\n'.join(json.dumps(c, separators=(',', ':')) for c in cases) + ']']
(FIXTURES / 'segments.json').write_text('{' + ',\n'.join(parts) + '}\n')
print(len(recording), 'segments of the recording,', sum(len(c['segments']) for c in cases), 'of', len(cases), 'random ones')
