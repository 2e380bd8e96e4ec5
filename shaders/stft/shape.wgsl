const STFT_SIZE = 20u;
const STFT_BINS = 11u;
const STFT_HOP = 5u; // samples from one frame to the next
