// Audio y (S) of x (S / 5 + 1, 22): of 11 bins the logarithms of magnitudes, and what the sines are phases of. Frames of 20 samples
// overlap, by the basis (22, 20), which has the window in it. The export divides the first samples alone by the sum of windows, (20).
// A workgroup makes 320 samples, of the 67 frames that they see.
#import shared/sine
#import stft/shape
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> window_sum: array<f32>;
@group(0) @binding(2) var<storage, read> basis: array<f32>;
@group(0) @binding(10) var<uniform> x_len: u32; // S / 5 + 1
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
override X_PITCH: u32; // elements from one row of x to the next
override BASIS_PITCH: u32; // elements from one row of the basis to the next
const INVERSE_WG = 64u;
const INVERSE_SAMPLES = 320u; // of a workgroup
const INVERSE_FRAMES = 67u;   // that they see
const INVERSE_SCALE = 4.0;    // STFT_SIZE / STFT_HOP
var<workgroup> spectra: array<f32, 1474>; // (frames, 22): real parts and imaginary ones
var<workgroup> waves: array<f32, 440>; // the basis

@compute @workgroup_size(INVERSE_WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  for (var i = t; i < 440u; i += INVERSE_WG) { waves[i] = basis[i / STFT_SIZE * BASIS_PITCH + i % STFT_SIZE]; }
  // Sample s of y is sample s + 10 of all, which frames (s + 10) / 5 - 3 to (s + 10) / 5 reach.
  let first = i32(workgroup.x * (INVERSE_SAMPLES / STFT_HOP)) + i32(STFT_SIZE / 2u / STFT_HOP) - 3;
  for (var i = t; i < INVERSE_FRAMES * STFT_BINS; i += INVERSE_WG) {
    let bin = i % STFT_BINS;
    let frame = first + i32(i / STFT_BINS);
    let row = u32(clamp(frame, 0, i32(x_len) - 1)) * X_PITCH;
    let inside = frame >= 0 && frame < i32(x_len);
    let magnitude = select(0.0, exp(clamp(x[row + bin], -80.0, 80.0)), inside);
    let phase = sine(x[row + STFT_BINS + bin]);
    let parts = sine4(vec4f(phase + 1.5707963267948966, phase, 0.0, 0.0));
    spectra[i / STFT_BINS * 2u * STFT_BINS + bin] = magnitude * parts.x;
    spectra[i / STFT_BINS * 2u * STFT_BINS + STFT_BINS + bin] = magnitude * parts.y;
  }
  workgroupBarrier();
  for (var i = t; i < INVERSE_SAMPLES; i += INVERSE_WG) {
    let s = workgroup.x * INVERSE_SAMPLES + i;
    if (s >= (x_len - 1u) * STFT_HOP) { break; }
    var sum = 0.0;
    for (var f = 0u; f < 4u; f++) {
      let frame = i / STFT_HOP + f; // of those staged
      let place = i % STFT_HOP + (3u - f) * STFT_HOP;
      for (var b = 0u; b < 2u * STFT_BINS; b++) { sum = fma(spectra[frame * 2u * STFT_BINS + b], waves[b * STFT_SIZE + place], sum); }
    }
    let whole = s + STFT_SIZE / 2u;
    if (whole < STFT_SIZE) { sum /= window_sum[whole]; }
    y[s] = sum * INVERSE_SCALE;
  }
}
