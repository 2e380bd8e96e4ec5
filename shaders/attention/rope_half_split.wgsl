// Rotary embedding (arXiv:2104.09864) of pairs (i, i + N_ROT / 2): ggml's NEOX. The table holds cos and sin of
// every position and frequency, (n_ctx, N_ROT / 2), computed in f64: GPU sines are only good near zero.
@group(0) @binding(1) var<storage, read> rope: array<vec2f>;
override N_ROT: u32; // elements of a head that rotate, a multiple of 8

fn half_rotated(pos: u32, base: u32, d4: u32) -> vec4f {
  let v = head_value(base, d4);
  let half4 = N_ROT / 8u;
  if (d4 >= 2u * half4) { return v; }
  let first = d4 < half4;
  let i = select(d4 - half4, d4, first);
  let partner = head_value(base, select(i, i + half4, first));
  let at = pos * (N_ROT / 2u) + i * 4u;
  let r0 = rope[at];
  let r1 = rope[at + 1u];
  let r2 = rope[at + 2u];
  let r3 = rope[at + 3u];
  return v * vec4f(r0.x, r1.x, r2.x, r3.x) + partner * vec4f(r0.y, r1.y, r2.y, r3.y) * select(1.0, -1.0, first);
}
