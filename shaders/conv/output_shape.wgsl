// An image's rows are its places, top to bottom and left to right. N4 vectors of a row hold its N channels, the last one filled
// up with zeros; rows are padded to 16 elements, which no kernel here looks at or writes.
override N: u32; // channels of y
override N4: u32 = (N + 3u) / 4u;
override Y_PITCH: u32 = (N + 15u) / 16u * 4u; // vec4f from one row to the next
