// Rows of weights and of activations are padded with zeros to K16 groups of 16 elements.
override K16: u32;
