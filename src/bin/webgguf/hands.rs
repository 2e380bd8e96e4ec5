//! `webgguf hands`.

use std::fs::File;
use std::io::{BufReader, Write, stdout};

use clap::Args;
use webgguf::gpu::{Gpu, PictureSource, Pixels};
use webgguf::hands::Detector;
use webgguf::hands::convert::convert;
use webgguf::hands::glue::{Hand, Options};
use webgguf::source::MemorySource;

use crate::Failure;
use crate::source::Source;

/// Pixels of a picture, at most: a file of a few bytes may claim any number.
const MAX_PIXELS: u64 = 1 << 26;

/// MediaPipe's names, in the order of the landmarks.
const LANDMARKS: [&str; 21] = [
    "wrist",
    "thumb cmc",
    "thumb mcp",
    "thumb ip",
    "thumb tip",
    "index finger mcp",
    "index finger pip",
    "index finger dip",
    "index finger tip",
    "middle finger mcp",
    "middle finger pip",
    "middle finger dip",
    "middle finger tip",
    "ring finger mcp",
    "ring finger pip",
    "ring finger dip",
    "ring finger tip",
    "pinky mcp",
    "pinky pip",
    "pinky dip",
    "pinky tip",
];

/// Find the hands in a picture, with MediaPipe's networks.
#[derive(Args)]
pub struct Hands {
    /// A PNG file
    picture: String,
    /// Both networks, a GGUF file of `webgguf convert` or its URL
    #[arg(long, required_unless_present_any = ["palm", "landmarks"], conflicts_with_all = ["palm", "landmarks"])]
    model: Option<String>,
    /// The network for palms, a TFLite file
    #[arg(long, requires = "landmarks")]
    palm: Option<String>,
    /// The network for landmarks, a TFLite file
    #[arg(long, requires = "palm")]
    landmarks: Option<String>,
    /// Hands to find, at most [default: 2]
    #[arg(long)]
    max_hands: Option<u32>,
    /// Write a JSON array of the objects that JavaScript gets
    #[arg(long)]
    json: bool,
}

/// A picture of 8-bit RGBA.
struct Rgba {
    width: u32,
    height: u32,
    bytes: Vec<u8>,
}

impl Hands {
    pub fn run(&self) -> Result<(), Failure> {
        let picture = Rgba::read(&self.picture).map_err(|e| format!("'{}': {e}", self.picture))?;
        let hands = pollster::block_on(self.find(&picture))?;
        match self.json {
            true => writeln!(stdout(), "{}", serde_json::to_string_pretty(&hands)?)?,
            false => stdout().write_all(text(&hands, &picture).as_bytes())?,
        }
        Ok(())
    }

    async fn find(&self, picture: &Rgba) -> Result<Vec<Hand>, Failure> {
        let default = Options::default();
        let options = Options { max_hands: self.max_hands.unwrap_or(default.max_hands), ..default };
        options.check()?;
        let gpu = Gpu::new().await?;
        let detector = match &self.model {
            Some(file) => Detector::load(gpu, &Source::open(file)?, options, &()).await?,
            None => Detector::load(gpu, &self.converted()?, options, &()).await?,
        };
        let pixels = Pixels::Bytes(&picture.bytes);
        let source = PictureSource { width: picture.width, height: picture.height, pixels };
        Ok(detector.detect(&source, 0.0).await?)
    }

    /// The TFLite files as one GGUF file.
    fn converted(&self) -> Result<MemorySource, Failure> {
        let files = [&self.palm, &self.landmarks].into_iter().flatten();
        let read = |file: &String| std::fs::read(file).map_err(|e| format!("'{file}': {e}"));
        let files = files.map(read).collect::<Result<Vec<_>, _>>()?;
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        Ok(MemorySource(convert(&files)?))
    }
}

impl Rgba {
    /// Of a PNG file of any colour type. Samples of 16 bits lose the lower 8.
    fn read(path: &str) -> Result<Self, Failure> {
        let mut decoder = png::Decoder::new(BufReader::new(File::open(path)?));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(|e| format!("no PNG file that can be read: {e}"))?;
        let (width, height) = reader.info().size();
        let n_pixels = u64::from(width) * u64::from(height);
        if n_pixels > MAX_PIXELS {
            return Err(format!("a picture of {width} x {height} pixels, allowed are {MAX_PIXELS} in all").into());
        }
        let n_bytes = reader.output_buffer_size().ok_or("a picture that is too large")?;
        let mut samples = vec![0; n_bytes];
        let frame = reader.next_frame(&mut samples).map_err(|e| format!("a PNG file that is broken: {e}"))?;
        let pixels = samples[..frame.buffer_size()].chunks_exact(frame.color_type.samples());
        let rgba = |p: &[u8]| match *p {
            [v] => [v, v, v, 255],
            [v, a] => [v, v, v, a],
            [r, g, b] => [r, g, b, 255],
            [r, g, b, a, ..] => [r, g, b, a],
            [] => [0; 4],
        };
        Ok(Rgba { width, height, bytes: pixels.flat_map(rgba).collect() })
    }
}

/// For people: landmarks in pixels of the picture.
fn text(hands: &[Hand], picture: &Rgba) -> String {
    if hands.is_empty() {
        return "no hands\n".into();
    }
    let (width, height) = (f64::from(picture.width), f64::from(picture.height));
    let mut text = String::new();
    for hand in hands {
        text +=
            &format!("{:?} hand, score {:.3}, handedness {:.3}\n", hand.handedness, hand.score, hand.handedness_score);
        for (name, p) in LANDMARKS.iter().zip(&hand.landmarks) {
            text += &format!("  {name:<18}{:>8.1}{:>8.1}{:>8.1}\n", p.x * width, p.y * height, p.z * width);
        }
    }
    text
}
