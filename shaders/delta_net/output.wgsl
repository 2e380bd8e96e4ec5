// RMSNorm of a head's output o, gated by z: o / rms(o) * weight * silu(z).
#import shared/activation

fn gated(o: vec4f, sum_sq: f32, t: u32, head: u32, d4: u32) -> vec4f {
  let n = 2u * N_V + d4 * 4u;
  let weight = vec4f(head_weights[n], head_weights[n + 1u], head_weights[n + 2u], head_weights[n + 3u]);
  let z = x[t * STRIDE4 + C4 + head * D4 + d4];
  return o * inverseSqrt(sum_sq / f32(HEAD_DIM) + EPS) * weight * silu4(z);
}
