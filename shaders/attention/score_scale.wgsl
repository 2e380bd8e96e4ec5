// Scaling and soft cap of attention's scores.
override SCALE: f32;
override SOFTCAP: f32; // 0 is none

fn score(dot_product: f32) -> f32 {
  let s = dot_product * SCALE;
  if (SOFTCAP > 0.0) { return SOFTCAP * tanh(clamp(s / SOFTCAP, -12.0, 12.0)); }
  return s;
}
