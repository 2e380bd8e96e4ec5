// The short-time Fourier transform of x (S), its ends reflected: y (S / 5 + 1, 22), magnitudes of 11 bins and phases.
#import shared/elements
#import shared/sine
#import shared/atan
#import stft/shape
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> window: array<f32>; // (20)
@group(0) @binding(10) var<uniform> x_len: u32; // S
@group(0) @binding(11) var<uniform> y_len: u32; // S / 5 + 1
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
override Y_PITCH: u32; // elements from one row of y to the next
var<workgroup> cosines: array<f32, STFT_SIZE>;
var<workgroup> sines: array<f32, STFT_SIZE>;

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) global: vec3u, @builtin(local_invocation_index) t: u32) {
  if (t < STFT_SIZE) {
    // Whole halves are exact, so that the first and the last bin are real.
    sines[t] = select(sine(f32(t) * (6.283185307179586 / 20.0)), 0.0, t % 10u == 0u);
    cosines[t] = select(sine((f32(t) + 5.0) * (6.283185307179586 / 20.0)), 0.0, t % 10u == 5u);
  }
  workgroupBarrier();
  let frame = global.x / STFT_BINS;
  let bin = global.x % STFT_BINS;
  if (frame >= y_len) { return; }
  var re = 0.0;
  var im = 0.0;
  for (var i = 0u; i < STFT_SIZE; i++) {
    let s = i32(frame * STFT_HOP + i) - i32(STFT_SIZE / 2u);
    let last = i32(x_len) - 1;
    let v = x[last - abs(last - abs(s))] * window[i];
    re = fma(v, cosines[bin * i % STFT_SIZE], re);
    im = fma(v, -sines[bin * i % STFT_SIZE], im);
  }
  y[frame * Y_PITCH + bin] = sqrt(re * re + im * im);
  // The last bin is real. Where it is negative, its angle is -pi or pi: most of the export's are -pi, by what rounding leaves there.
  let a = angle(im, re);
  y[frame * Y_PITCH + STFT_BINS + bin] = select(a, -a, bin == STFT_BINS - 1u);
}
