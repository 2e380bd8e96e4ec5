@group(0) @binding(5) var<storage, read> bias: array<vec4f>;
