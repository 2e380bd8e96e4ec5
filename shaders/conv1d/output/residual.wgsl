// y = (v + bias + residual) * scale
#import conv1d/output_columns
#import conv1d/bias
#import conv1d/residual

fn output4(i: u32, t: u32, n4: u32, v: vec4f) -> vec4f {
  return with_residual(t, n4, v + bias[n4]);
}
