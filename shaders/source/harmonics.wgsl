// Harmonics of the pitch: x (T, 2) has pitch and loudness for each 300 samples; a sample is 1 / 24000 s.
const HARMONICS = 9u;
const HARMONICS_PITCH = 16u; // from one row of phases to the next
const UNITS = 80.0; // of a phase in a turn: 24000 / 300, so that 300 samples of 1 Hz are one

// How far harmonic h goes in 300 samples of this pitch: two parts, without an error.
fn advance(pitch: f32, h: f32) -> vec2f {
  let high = bitcast<f32>(bitcast<u32>(pitch) & 0xfffff000u);
  return vec2f(high * h, (pitch - high) * h);
}

fn without_turns(units: f32) -> f32 {
  return units - UNITS * floor(units / UNITS);
}
