#import conv1d/output_columns
#import conv1d/bias
#import shared/activation

fn output4(i: u32, t: u32, n4: u32, v: vec4f) -> vec4f {
  let u = v + bias[n4];
  return vec4f(gelu(u.x), gelu(u.y), gelu(u.z), gelu(u.w));
}
