// MXFP4 (OCP Microscaling Formats 1.0): blocks of 32 codes E2M1 and a scale E8M0. As in ggml the values are doubled,
// so that they are integers, and the scale halved. w_sc: the scales of four blocks each.
#import shared/k16
#import shared/weight16
@group(0) @binding(2) var<storage, read> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read> w_sc: array<u32>;
const WEIGHT_HAS_MIN = false;

// Doubled magnitudes of E2M1, a nibble each; the fourth bit of a code is the sign.
fn e2m1(code: u32) -> f32 {
  let magnitude = i32((0xc8643210u >> ((code & 7u) * 4u)) & 15u);
  return f32(select(magnitude, -magnitude, code > 7u)); // integers, as there is no -0
}

fn e2m1x4(codes: u32) -> vec4f {
  return vec4f(e2m1(codes & 15u), e2m1((codes >> 8u) & 15u), e2m1((codes >> 16u) & 15u), e2m1(codes >> 24u));
}

fn weight16(row: u32, j: u32) -> W16 {
  let c = w_qs[row * K16 + j];
  let lo = c & vec2u(0x0f0f0f0fu);
  let hi = (c >> vec2u(4u)) & vec2u(0x0f0f0f0fu);
  let e = (w_sc[row * ((K16 + 7u) / 8u) + j / 8u] >> ((j / 2u % 4u) * 8u)) & 0xffu;
  // 2^(e - 128); the two subnormal ones are zero on many a GPU.
  let d = bitcast<f32>(select((e - 1u) << 23u, 0x00200000u << e, e < 2u));
  return W16(mat4x4f(e2m1x4(lo.x), e2m1x4(hi.x), e2m1x4(lo.y), e2m1x4(hi.y)), d, 0.0);
}
