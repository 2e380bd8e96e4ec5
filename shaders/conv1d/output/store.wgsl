#import conv1d/output_columns

fn output4(i: u32, t: u32, n4: u32, v: vec4f) -> vec4f {
  return v;
}
