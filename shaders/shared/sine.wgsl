// Sines to the last bits: WGSL's own may be off by 2^-11, and by more beyond a turn.
fn sine_of_half(r: vec4f) -> vec4f { // |r| <= pi / 2
  let z = r * r;
  var p = fma(z, vec4f(-2.3889859e-8), vec4f(2.7525562e-6));
  p = fma(z, p, vec4f(-1.9840874e-4));
  p = fma(z, p, vec4f(8.3333310e-3));
  p = fma(z, p, vec4f(-1.6666667e-1));
  return fma(r * z, p, r);
}

// What is left of an angle without its half turns.
fn without_half_turns(x: vec4f, n: vec4f) -> vec4f {
  // pi in three parts, of which the first two have few bits.
  var r = fma(n, vec4f(-3.140625), x);
  r = fma(n, vec4f(-9.67502593994140625e-4), r);
  return fma(n, vec4f(-1.509957990978376432e-7), r);
}

fn sine4(x: vec4f) -> vec4f {
  let n = round(x * 0.31830988618379067);
  let s = sine_of_half(without_half_turns(x, n));
  return select(s, -s, (vec4i(n) & vec4i(1)) == vec4i(1));
}

// sin(x)^2
fn sine_squared4(x: vec4f) -> vec4f {
  let s = sine_of_half(without_half_turns(x, round(x * 0.31830988618379067)));
  return s * s;
}

fn sine(x: f32) -> f32 {
  return sine4(vec4f(x)).x;
}
