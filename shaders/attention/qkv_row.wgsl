override ROW_D4: u32; // vec4f from one token's heads to the next's
