// y += v + bias
#import conv1d/output_columns
#import conv1d/bias

fn output4(i: u32, t: u32, n4: u32, v: vec4f) -> vec4f {
  return y[i] + v + bias[n4];
}
