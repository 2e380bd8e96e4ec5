// I8: codes, and a scale a row.
#import shared/quant/k16
#import shared/quant/codes
@group(0) @binding(2) var<storage, read> w_qs: array<vec4u>;
@group(0) @binding(3) var<storage, read> w_sc: array<f32>;
const WEIGHT_HAS_MIN = false;

fn codes16(row: u32, j: u32) -> Codes {
  return Codes(w_qs[row * K16 + j], w_sc[row], 0.0);
}
