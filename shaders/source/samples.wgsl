// The source (300 T) of the voice: nine harmonics, silent where there is no pitch, weighted, through tanh. Phases go in straight lines
// from the middle of a row's 300 samples to that of the next.
#import shared/elements
#import shared/sine
#import shared/sigmoid
#import source/harmonics
@group(0) @binding(0) var<storage, read> x: array<vec2f>; // (T, 2)
@group(0) @binding(1) var<storage, read> phases: array<f32>; // (T, 16)
@group(0) @binding(10) var<uniform> x_len: u32; // T
@group(0) @binding(2) var<storage, read> w: array<f32>; // (9)
@group(0) @binding(5) var<storage, read> bias: array<f32>; // (1)
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
const VOICED = 10.0; // Hz, of which more is a voice
const SINE_SCALE = 0.1;
const SAMPLES = 300u;

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) global: vec3u) {
  let s = global.x;
  if (s >= x_len * SAMPLES) { return; }
  var sum = 0.0;
  if (x[s / SAMPLES].x > VOICED) {
    let at = f32(s % SAMPLES) + 0.5 - f32(SAMPLES / 2u); // from the middle of its own row's samples
    let before = at < 0.0;
    let row = s / SAMPLES - select(0u, 1u, before && s >= SAMPLES);
    // Before the first middle and after the last one phases stand still.
    let moves = !(before && s < SAMPLES) && row + 1u < x_len;
    let part = select(0.0, select(at, at + f32(SAMPLES), before) / f32(SAMPLES), moves);
    let pitch = x[min(row + 1u, x_len - 1u)].x;
    for (var h = 0u; h < HARMONICS; h++) {
      let v = advance(pitch, f32(h + 1u));
      // The export takes whole turns off what a sample adds, of which there are `turns`. Samples are at halves, so each is half a turn here.
      let turns = floor((v.x + v.y) / 24000.0);
      let units = without_turns(phases[row * HARMONICS_PITCH + h] + part * (v.x + v.y) - turns * (UNITS / 2.0));
      sum += w[h] * sine(units * (6.283185307179586 / UNITS));
    }
  }
  y[s] = tanh_exact(SINE_SCALE * sum + bias[0]);
}
