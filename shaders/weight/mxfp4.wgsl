// MXFP4 (OCP Microscaling Formats 1.0): blocks of 32 codes E2M1 and a scale E8M0. As in ggml the values are doubled,
// so that they are integers, and the scale halved. w_sc: the scales of four blocks each.
#import shared/quant/k16
#import shared/quant/codes
#import shared/quant/nibbles
@group(0) @binding(2) var<storage, read> w_qs: array<vec2u>;
@group(0) @binding(3) var<storage, read> w_sc: array<u32>;
const WEIGHT_HAS_MIN = false;

// Doubled magnitudes of E2M1, a nibble each; the fourth bit of a code is the sign.
fn e2m1(code: u32) -> u32 {
  let magnitude = (0xc8643210u >> ((code & 7u) * 4u)) & 15u;
  return select(magnitude, (256u - magnitude) & 0xffu, code > 7u);
}

fn e2m1x4(codes: u32) -> u32 {
  return e2m1(codes & 15u) | (e2m1((codes >> 8u) & 15u) << 8u) | (e2m1((codes >> 16u) & 15u) << 16u) | (e2m1(codes >> 24u) << 24u);
}

fn codes16(row: u32, j: u32) -> Codes {
  let c = nibbles16(w_qs[row * K16 + j]);
  let e = (w_sc[row * ((K16 + 7u) / 8u) + j / 8u] >> ((j / 2u % 4u) * 8u)) & 0xffu;
  // 2^(e - 128); the two subnormal ones are zero on many a GPU.
  let d = bitcast<f32>(select((e - 1u) << 23u, 0x00200000u << e, e < 2u));
  return Codes(vec4u(e2m1x4(c.x), e2m1x4(c.y), e2m1x4(c.z), e2m1x4(c.w)), d, 0.0);
}
