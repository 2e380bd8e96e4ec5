// Where the digits of a row lie. Its floats are groups of 16; where a second row would be, the same values follow in
// digits.
// In vec4u, for a row of G groups:
//
//   0 to 4 G     the floats, four of these to a group
//   4 G to 5 G   the groups' high digits, i8
//   5 G to 6 G   the middle ones
//   6 G to 7 G   the low ones
//   7 G on       units and sums: those of two groups each, (unit, sum, unit, sum), f32
//
// A value is (high * 65536 + mid * 256 + low) * unit. The sum is that of the group's values, for weights that have
// minima.

// Of group j; digit 0 is the high one.
fn digits_at(digit: u32, groups: u32, j: u32) -> u32 {
  return (4u + digit) * groups + j;
}

// Of groups j & ~1 and j | 1.
fn units_at(groups: u32, j: u32) -> u32 {
  return 7u * groups + j / 2u;
}
