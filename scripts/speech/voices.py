"""Voices for webgguf: an archive of styles as a GGUF file.

    python3 scripts/speech/voices.py voices.npz voices.gguf

Each array of the archive is a voice, (rows, 1, 256) float32: a style for each number of symbols. It becomes `voice.NAME (rows, 256)`.
"""

import sys

import gguf
import numpy as np

if __name__ == "__main__":
    writer = gguf.GGUFWriter(sys.argv[2], "kokoro-voices")
    for name, rows in np.load(sys.argv[1]).items():
        writer.add_tensor(f"voice.{name}", rows.reshape(len(rows), 256).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
