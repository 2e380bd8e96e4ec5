// What becomes of a sum: y = activation(v + bias + residual).
#import conv/output_shape
#import conv/residual/${RESIDUAL}
#import conv/activation/${ACT}
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(5) var<storage, read> bias: array<vec4f>;

fn put(place: u32, n4: u32, v: vec4f) {
  y[place * Y_PITCH + n4] = activate(v + bias[n4] + residual(place, n4), n4);
}
