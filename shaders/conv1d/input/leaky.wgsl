#import shared/leaky

fn input_act(v: vec4f) -> vec4f {
  return leaky(v);
}
