//! WAV files: 16 bits, one channel.

/// A file of `samples` from -1 to 1, `rate` of them a second; what is beyond is cut off. The format is RIFF's WAVE (PCM).
#[must_use]
pub fn wav(samples: &[f32], rate: u32) -> Vec<u8> {
    let data_bytes = 2 * samples.len() as u32;
    let mut file = Vec::with_capacity(44 + data_bytes as usize);
    file.extend(b"RIFF");
    file.extend((36 + data_bytes).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1_u16, 1].map(u16::to_le_bytes).concat()); // PCM, one channel
    file.extend([rate, 2 * rate].map(u32::to_le_bytes).concat());
    file.extend([2_u16, 16].map(u16::to_le_bytes).concat()); // bytes and bits of a sample
    file.extend(b"data");
    file.extend(data_bytes.to_le_bytes());
    file.extend(samples.iter().flat_map(|s| ((s.clamp(-1.0, 1.0) * 32767.0).round() as i16).to_le_bytes()));
    file
}

#[cfg(test)]
mod tests {
    use super::wav;

    #[test]
    fn samples_are_rounded_and_cut_off() {
        let file = wav(&[0.0, 0.5, -1.0, 2.0, f32::NAN], 24_000);
        assert_eq!(&file[..4], b"RIFF");
        assert_eq!(file.len(), 54);
        let samples: Vec<i16> = file[44..].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
        assert_eq!(samples, [0, 16384, -32767, 32767, 0]);
    }
}
