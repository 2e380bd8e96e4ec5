#import matmul/output_glu

fn glu_act(v: f32) -> f32 {
  return silu(v);
}
