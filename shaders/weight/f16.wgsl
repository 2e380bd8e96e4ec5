// F16, rows padded to 16 elements; eight to a vec4u.
#import shared/quant/k16
#import shared/quant/weight16
@group(0) @binding(2) var<storage, read> w_qs: array<vec4u>;
const WEIGHT_HAS_MIN = false;

fn weight16(row: u32, j: u32) -> W16 {
  let i = (row * K16 + j) * 2u;
  let a = w_qs[i];
  let b = w_qs[i + 1u];
  return W16(
    mat4x4f(
      vec4f(unpack2x16float(a.x), unpack2x16float(a.y)), vec4f(unpack2x16float(a.z), unpack2x16float(a.w)),
      vec4f(unpack2x16float(b.x), unpack2x16float(b.y)), vec4f(unpack2x16float(b.z), unpack2x16float(b.w))),
    1.0, 0.0);
}
