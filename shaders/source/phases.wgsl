// Phases (T, 16) of the harmonics after each row of x (T, 2), in units without whole turns: a sum over all rows before.
#import source/harmonics
@group(0) @binding(0) var<storage, read> x: array<vec2f>;
@group(0) @binding(10) var<uniform> x_len: u32; // T
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
const PHASES_WG = 64u;
var<workgroup> pitch: array<f32, PHASES_WG>;

@compute @workgroup_size(PHASES_WG)
fn main(@builtin(local_invocation_index) t: u32) {
  var phase = 0.0;
  for (var first = 0u; first < x_len; first += PHASES_WG) {
    workgroupBarrier(); // the rows before have been read
    pitch[t] = x[min(first + t, x_len - 1u)].x;
    workgroupBarrier();
    if (t < HARMONICS) {
      for (var i = 0u; i < min(PHASES_WG, x_len - first); i++) {
        let v = advance(pitch[i], f32(t + 1u));
        phase = without_turns(phase + without_turns(v.x) + v.y);
        y[(first + i) * HARMONICS_PITCH + t] = phase;
      }
    }
  }
}
