// Whether a value is neither NaN nor infinite, by its bits: compilers may take for granted that there is no such value.
fn is_finite(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7f800000u) != 0x7f800000u;
}
