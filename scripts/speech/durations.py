"""Durations of some sentences, voices and speeds by ONNX Runtime: `references/durations.json` for `tests/kokoro.rs`.

    python3 scripts/speech/durations.py kokoro-f32.onnx voices_ja.npz vocab.json durations.json
"""

import json
import sys

from reference import Reference

SENTENCES = [
    "həlˈoʊ wˈɜːld.",
    "ðə kwˈɪk bɹˈaʊn fˈɑːks dʒˈʌmps ˌoʊvɚ ðə lˈeɪzi dˈɑːɡ!",
    "ɡˈʊd mˈɔːɹnɪŋ, hˌaʊ ɑːɹ juː?",
    "ɪt wʌz ɔːlɹˈɛdi lˈeɪt — wɛn ðeɪ kˈeɪm bˈæk; nˈoʊbɑːdi sˈɔː ðɛm…",
    "jˈɛs.",
]

if __name__ == "__main__":
    twin, voices, vocab, out = sys.argv[1:]
    reference = Reference(twin, voices, vocab)
    cases = []
    for i, phonemes in enumerate(SENTENCES):
        names = list(reference.voices)
        for voice, speed in ((names[i % len(names)], 1.0), (names[(i + 2) % len(names)], (0.7, 1.3, 2.0)[i % 3])):
            phonemes = "".join(c for c in phonemes if c in reference.vocab)
            found = reference.run(phonemes, voice, speed)["durations.rounded"]
            cases.append({"phonemes": phonemes, "voice": voice, "speed": speed, "durations": found.astype(int).tolist()})
    with open(out, "w") as f:
        json.dump(cases, f, ensure_ascii=False, indent=1)
