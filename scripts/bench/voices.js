// A style of a GGUF file with voices, for runtimes that do not read such files.

/** Numbers of a style. */
const WIDTH = 256;

/** The style (256) of a voice for a text of `nSymbols`; of the first voice, if none is named. The file is webgguf's: its metadata are strings. */
export function styleOf(file, nSymbols, wanted) {
  const view = new DataView(file);
  let at = 8; // after "GGUF" and the version
  const u32 = () => view.getUint32((at += 4) - 4, true);
  const u64 = () => Number(view.getBigUint64((at += 8) - 8, true));
  const string = () => {
    const n = u64();
    return new TextDecoder().decode(new Uint8Array(file, (at += n) - n, n));
  };
  const [nTensors, nValues] = [u64(), u64()];
  for (let i = 0; i < nValues; i++) [string(), u32(), string()];
  const voices = Array.from({ length: nTensors }, () => {
    const name = string().replace(/^voice\./, '');
    const [, rows] = Array.from({ length: u32() }, u64);
    u32(); // F32
    return { name, rows, offset: u64() };
  });
  const voice = wanted === undefined ? voices[0] : voices.find(({ name }) => name === wanted);
  if (!voice) throw new Error(`there is no voice '${wanted}'; there are ${voices.map(({ name }) => name)}`);
  const data = Math.ceil(at / 32) * 32;
  const row = Math.min(nSymbols - 1, voice.rows - 1);
  return { voice: voice.name, style: new Float32Array(file, data + voice.offset + row * WIDTH * 4, WIDTH) };
}
