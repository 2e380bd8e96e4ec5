// The angle of (x, y), -pi to pi, to the last bits: WGSL's atan2 may be off by 4096 of them.
fn angle(y: f32, x: f32) -> f32 {
  let a = abs(x);
  let b = abs(y);
  let large = max(a, b);
  if (large < 1.0e-37) { return 0.0; }
  var r = min(a, b) / large;
  // atan(r) = pi / 4 + atan((r - 1) / (r + 1))
  let shifted = r > 0.4142135623730950;
  r = select(r, (r - 1.0) / (r + 1.0), shifted);
  let z = r * r;
  var p = fma(z, 8.05374449538e-2, -1.38776856032e-1);
  p = fma(z, p, 1.99777106478e-1);
  p = fma(z, p, -3.33329491539e-1);
  p = fma(r * z, p, r) + select(0.0, 0.7853981633974483, shifted);
  p = select(p, 1.5707963267948966 - p, b > a);
  p = select(p, 3.141592653589793 - p, x < 0.0);
  return select(p, -p, y < 0.0);
}
