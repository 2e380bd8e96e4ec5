// y = softcap(v), the end of the forward pass
#import matmul/output_row
override LOGIT_SCALE: f32;
override LOGIT_SOFTCAP: f32; // 0 is none

fn output_element(i: u32, row: u32, v: f32) {
  let logit = v * LOGIT_SCALE;
  if (LOGIT_SOFTCAP > 0.0) {
    y[i] = LOGIT_SOFTCAP * tanh(clamp(logit / LOGIT_SOFTCAP, -12.0, 12.0));
  } else {
    y[i] = logit;
  }
}
