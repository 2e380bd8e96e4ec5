// No norm: queries are scaled by their position, in steps of the context that the model was trained on first (Llama 4).
#import attention/qkv_row
override TEMPERATURE: f32;
override N_CTX_ORIG: u32;

fn head_scale(base: u32, lane: u32, t: u32) -> f32 {
  if (base % ROW_D4 >= N_HEAD * D4) { return 1.0; }
  let pos = batch.pos + base / ROW_D4;
  return 1.0 + TEMPERATURE * log(f32(pos / N_CTX_ORIG + 1u));
}

fn head_value(base: u32, d4: u32) -> vec4f {
  return qkv[base + d4];
}
