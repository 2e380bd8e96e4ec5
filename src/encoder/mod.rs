//! Encoders: a vector of each text, for search, clustering and the like. BERT (arXiv:1810.04805) and what was made of it.
//!
//! ```no_run
//! use webgguf::encoder::{Embedder, EmbedOptions, similarity};
//! use webgguf::source::FileSource;
//!
//! # fn main() -> webgguf::Result<()> { pollster::block_on(async {
//! let embedder = Embedder::load(&FileSource::open("all-MiniLM-L6-v2.gguf")?, None, &()).await?;
//! let texts = ["A cat sleeps.", "The cat is asleep.", "Stocks fell."];
//! let vectors = embedder.embed(&texts, &EmbedOptions::default(), &()).await?;
//! let [a, b, c] = [0, 1, 2].map(|i| vectors.row(i));
//! assert!(similarity(a, b)? > similarity(a, c)?);
//! # Ok(()) }) }
//! ```

mod capture;
mod config;
mod embedder;
mod network;
mod prefix;
mod texts;
mod vectors;
mod weights;

pub use capture::{Capture, Captured};
pub use config::EncoderConfig;
pub use embedder::{EmbedEvents, EmbedOptions, Embedder, Info};
pub use prefix::Prefix;
pub use vectors::{Vectors, similarity};
