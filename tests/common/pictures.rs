//! Pictures of 8-bit RGB, as the references of the hand pipeline use them.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Grey where there is no picture.
pub const BACKGROUND: u8 = 96;

/// Row by row.
#[derive(Clone)]
pub struct Rgb {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<[u8; 3]>,
}

impl Rgb {
    /// Of a PNG file with 8-bit RGB or RGBA.
    pub fn read(path: &Path) -> Self {
        let mut reader = png::Decoder::new(BufReader::new(File::open(path).unwrap())).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(info.bit_depth, png::BitDepth::Eight, "{}", path.display());
        let channels = info.color_type.samples();
        assert!(channels >= 3, "{}: {:?}", path.display(), info.color_type);
        let pixels = bytes[..info.buffer_size()].chunks_exact(channels).map(|p| [p[0], p[1], p[2]]).collect();
        Rgb { width: info.width as usize, height: info.height as usize, pixels }
    }

    /// Both pictures on one, top edges in line, [`BACKGROUND`] below the shorter one.
    pub fn side_by_side(left: &Rgb, right: &Rgb) -> Self {
        let height = left.height.max(right.height);
        let row = |picture: &Rgb, row: usize| match picture.pixels.chunks(picture.width).nth(row) {
            Some(pixels) => pixels.to_vec(),
            None => vec![[BACKGROUND; 3]; picture.width],
        };
        let pixels = (0..height).flat_map(|y| [row(left, y), row(right, y)]).flatten().collect();
        Rgb { width: left.width + right.width, height, pixels }
    }

    pub fn rgba(&self) -> Vec<u8> {
        self.pixels.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect()
    }
}
