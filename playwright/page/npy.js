/** A .npy file of little-endian floats in C order: its shape and values. The format is NumPy's NEP 1. */
export async function fetchNpy(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const bytes = await response.arrayBuffer();
  const view = new DataView(bytes);
  const [start, length] = view.getUint8(6) === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const header = new TextDecoder().decode(new Uint8Array(bytes, start, length));
  if (!header.includes("'<f4'") || !header.includes("'fortran_order': False")) throw new Error(`${url}: ${header}`);
  const shape = [...header.match(/'shape': \(([^)]*)\)/)[1].matchAll(/\d+/g)].map(Number);
  return { shape, data: new Float32Array(bytes.slice(start + length)) };
}
