@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(11) var<uniform> y_len: u32; // T'
override N: u32; // channels of y
