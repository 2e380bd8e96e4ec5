// F32, rows padded to 16 elements.
#import shared/quant/k16
#import shared/quant/weight16
@group(0) @binding(2) var<storage, read> w_qs: array<vec4f>;
const WEIGHT_HAS_MIN = false;

fn weight16(row: u32, j: u32) -> W16 {
  let i = (row * K16 + j) * 4u;
  return W16(mat4x4f(w_qs[i], w_qs[i + 1u], w_qs[i + 2u], w_qs[i + 3u]), 1.0, 0.0);
}
