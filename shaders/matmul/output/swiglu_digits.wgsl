#import matmul/output_glu_digits

fn glu_act(v: f32) -> f32 {
  return silu(v);
}
