// Rotary embedding (arXiv:2104.09864) of pairs (2i, 2i + 1): ggml's NORM. The table holds cos and sin of every
// position and frequency, (n_ctx, N_ROT / 2), computed in f64: GPU sines are only good near zero.
@group(0) @binding(1) var<storage, read> rope: array<vec2f>;
override N_ROT: u32; // elements of a head that rotate, a multiple of 4

fn roped(pos: u32, base: u32, d4: u32) -> vec4f {
  let v = head_value(base, d4);
  if (d4 * 4u >= N_ROT) { return v; }
  let a = rope[pos * (N_ROT / 2u) + d4 * 2u];
  let b = rope[pos * (N_ROT / 2u) + d4 * 2u + 1u];
  return vec4f(v.x * a.x - v.y * a.y, v.x * a.y + v.y * a.x, v.z * b.x - v.w * b.y, v.z * b.y + v.w * b.x);
}
