// Results go to the columns of y from Y_COL4 on, four at a time; channels beyond N are 0.
#import conv1d/y
override Y_PITCH: u32; // vec4f from one row of y to the next
override Y_COL4: u32;  // the first column, in vec4f
override N4: u32 = (N + 3u) / 4u;

fn put(t: u32, n4: u32, sum: vec4f) {
  if (t >= y_len || n4 >= N4) { return; }
  let channel = vec4u(4u * n4) + vec4u(0u, 1u, 2u, 3u);
  let i = t * Y_PITCH + Y_COL4 + n4;
  y[i] = select(vec4f(0.0), output4(i, t, n4, scaled(sum, n4)), channel < vec4u(N));
}
