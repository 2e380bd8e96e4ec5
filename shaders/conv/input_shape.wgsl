override C: u32; // channels of x
override C4: u32 = (C + 3u) / 4u;
override X_PITCH: u32 = (C + 15u) / 16u * 4u; // vec4f from one row to the next
