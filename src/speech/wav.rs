//! WAV files: RIFF's WAVE. Written are 16 bits, one channel; read are 16 bits or floats, any number of channels.

use crate::error::{Result, bail};

/// A file of `samples` from -1 to 1, `rate` of them a second; what is beyond is cut off. The format is RIFF's WAVE (PCM).
/// Pages have `toWav` of `pkg-templates/speech.js`, which works without wasm.
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

/// A recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Wav {
    /// From -1 to 1, one channel.
    pub samples: Vec<f32>,
    /// Samples a second.
    pub rate: u32,
}

/// `wFormatTag` of integers, of floats, and of what says it further behind.
const PCM: u16 = 1;
const FLOAT: u16 = 3;
const EXTENSIBLE: u16 = 0xfffe;
/// Where `EXTENSIBLE` says it.
const SUBFORMAT: usize = 24;
/// The size of a chunk whose writer could not go back to fill it in: it ends with the file.
const UNKNOWN_SIZE: usize = u32::MAX as usize;

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|b| u16::from_le_bytes(*b))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

/// The bytes of the first chunk with this name.
fn chunk<'a>(file: &'a [u8], wanted: &str) -> Result<&'a [u8]> {
    let mut rest = file.get(12..).unwrap_or_default();
    while let (Some(name), Some(size)) = (rest.get(..4), u32_at(rest, 4)) {
        let (found, body) = (name == wanted.as_bytes(), &rest[8..]);
        let size = if size as usize == UNKNOWN_SIZE { body.len() } else { size as usize };
        match (found, body.get(..size)) {
            (true, Some(chunk)) => return Ok(chunk),
            (true, None) => {
                bail!(InvalidArgument, "the WAV file's '{wanted}' has {} of {size} bytes (truncated?)", body.len())
            }
            // A byte of padding makes odd chunks even.
            (false, _) => rest = body.get(size.saturating_add(size % 2)..).unwrap_or_default(),
        }
    }
    bail!(InvalidArgument, "the WAV file has no '{wanted}'")
}

impl Wav {
    /// Read a file of 16-bit integers or 32-bit floats; channels are mixed to their mean.
    ///
    /// # Errors
    /// `InvalidArgument` where it is no WAV file, it is truncated, or its samples are of another kind.
    pub fn parse(file: &[u8]) -> Result<Wav> {
        if !(file.starts_with(b"RIFF") && file.get(8..12) == Some(b"WAVE")) {
            bail!(InvalidArgument, "the file is no WAV file: it does not begin with RIFF and WAVE");
        }
        let format = chunk(file, "fmt ")?;
        let (Some(tag), Some(channels), Some(rate), Some(bits)) =
            (u16_at(format, 0), u16_at(format, 2), u32_at(format, 4), u16_at(format, 14))
        else {
            bail!(InvalidArgument, "the WAV file's 'fmt ' has {} bytes, 16 are needed", format.len());
        };
        let tag = if tag == EXTENSIBLE { u16_at(format, SUBFORMAT).unwrap_or(tag) } else { tag };
        let data = chunk(file, "data")?;
        let samples: Vec<f32> = match (tag, bits) {
            (PCM, 16) => data.chunks_exact(2).map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32768.0).collect(),
            (FLOAT, 32) => data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            _ => bail!(
                InvalidArgument,
                "the WAV file has samples of format {tag} with {bits} bits; 16-bit integers ({PCM}) and 32-bit floats ({FLOAT}) are supported"
            ),
        };
        let samples = match channels {
            0 => bail!(InvalidArgument, "the WAV file has 0 channels"),
            1 => samples,
            n => samples.chunks_exact(n.into()).map(|all| all.iter().sum::<f32>() / f32::from(n)).collect(),
        };
        Ok(Wav { samples, rate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with chunks that nobody knows, one of an odd size.
    fn file(format: &[u16], data: &[u8]) -> Vec<u8> {
        let mut fmt = [format[0], format[1]].map(u16::to_le_bytes).concat();
        fmt.extend(16_000_u32.to_le_bytes());
        fmt.extend([0; 6]);
        fmt.extend(format[2..].iter().flat_map(|v| v.to_le_bytes()));
        let chunk = |name: &[u8], body: &[u8]| [name, &(body.len() as u32).to_le_bytes(), body].concat();
        let mut file = b"RIFF\0\0\0\0WAVE".to_vec();
        file.extend(chunk(b"LIST", b"odd"));
        file.push(0);
        file.extend(chunk(b"fmt ", &fmt));
        file.extend(chunk(b"data", data));
        file
    }

    #[test]
    fn integers_and_floats_are_read_and_channels_mixed() {
        let halves = [16384_i16, -32768, 0, 16384].map(i16::to_le_bytes).concat();
        let of = |file: &[u8]| Wav::parse(file).unwrap();
        assert_eq!(of(&file(&[1, 1, 16], &halves)), Wav { samples: vec![0.5, -1.0, 0.0, 0.5], rate: 16_000 });
        assert_eq!(of(&file(&[1, 2, 16], &halves)).samples, [-0.25, 0.25]);
        let floats = [0.5_f32, -2.0].map(f32::to_le_bytes).concat();
        assert_eq!(of(&file(&[3, 1, 32], &floats)).samples, [0.5, -2.0]);
        // Size of the extension, valid bits, mask of speakers (2 words), subformat.
        assert_eq!(of(&file(&[0xfffe, 1, 32, 22, 32, 0, 0, 3], &floats)).samples, [0.5, -2.0]);
        assert_eq!(of(&wav(&[0.25, -0.5], 24_000)).rate, 24_000);
        let mut stream = file(&[1, 1, 16], &halves);
        let size = stream.len() - halves.len() - 4;
        stream[size..size + 4].fill(0xff);
        assert_eq!(of(&stream).samples.len(), 4);
    }

    #[test]
    fn other_files_are_errors() {
        let says = |file: &[u8], text: &str| {
            let error = Wav::parse(file).unwrap_err();
            assert_eq!(error.code(), "INVALID_ARGUMENT");
            assert!(error.to_string().contains(text), "{error}");
        };
        says(b"", "no WAV file");
        says(b"RIFF\0\0\0\0AVI ", "no WAV file");
        says(&file(&[1, 0, 16], &[]), "0 channels");
        says(&file(&[1, 1, 24], &[0; 6]), "format 1 with 24 bits");
        says(&file(&[7, 1, 8], &[0; 6]), "format 7 with 8 bits");
        let whole = file(&[1, 1, 16], &[0; 8]);
        (0..whole.len()).for_each(|n| says(&whole[..n], "WAV file"));
    }

    #[test]
    fn samples_are_rounded_and_cut_off() {
        let file = wav(&[0.0, 0.5, -1.0, 2.0, f32::NAN], 24_000);
        assert_eq!(&file[..4], b"RIFF");
        assert_eq!(file.len(), 54);
        let samples: Vec<i16> = file[44..].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
        assert_eq!(samples, [0, 16384, -32767, 32767, 0]);
    }
}
