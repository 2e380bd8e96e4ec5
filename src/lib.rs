//! webgguf runs model files on WebGPU: GGUF language models today, in a browser tab or natively on Vulkan, Metal and
//! DirectX 12. There is no graph to compile and no tensor library: each shader is written for the tensors that it
//! serves, and the forward pass is a list of dispatches that is recorded once.
//!
//! # A text
//!
//! A [`Session`](llm::Session) is a model with its tokenizer. It loads from any [`ByteSource`](source::ByteSource): a
//! file, memory, HTTP ranges. The weights go to the GPU piece by piece; this process never holds them.
//!
//! ```
//! use webgguf::llm::{GenerateOptions, LoadOptions, Sampling, Session};
//! use webgguf::source::FileSource;
//!
//! # fn main() -> webgguf::Result<()> { pollster::block_on(async {
//! let file = FileSource::open("www/models/embedded.gguf")?;
//! let session = Session::load(&file, &LoadOptions::default(), &()).await?;
//!
//! let prompt = session.text.prompt_ids("It was already late when Prince");
//! let options = GenerateOptions { max_tokens: 8, sampling: Sampling::GREEDY, ..GenerateOptions::default() };
//! let mut generation = session.generate(0, &prompt, options).await?;
//! let mut text = String::new();
//! while let Some(piece) = generation.next().await? {
//!     text += &piece;
//! }
//! assert!(text.starts_with(" Andrew"));
//! # Ok(()) }) }
//! ```
//!
//! The first argument of [`generate`](llm::Session::generate) is the number of a text. Each text keeps its own cache
//! while there is memory, so that it goes on where it was.
//!
//! # Before a download
//!
//! The header of a file says whether a model fits, without a GPU and without its weights. What is counted is what is
//! allocated, buffer for buffer.
//!
//! ```
//! use webgguf::llm::{Budget, Fit, LoadOptions, Opened};
//! use webgguf::source::FileSource;
//!
//! # fn main() -> webgguf::Result<()> { pollster::block_on(async {
//! let file = FileSource::open("www/models/embedded.gguf")?;
//! let opened = Opened::read(&file, &()).await?;
//! let phone = Budget { total: Some(6_000_000), buffer: 128 << 20 };
//! let fit = Fit::of(&opened.gguf, &opened.config, &LoadOptions::default(), &phone)?;
//! assert!(fit.excess.is_some());
//! println!("{}", fit.reason().unwrap_or_default()); // with the numbers, and the context that would fit
//! # Ok(()) }) }
//! ```
//!
//! # Text without a model
//!
//! Tokenizers and chat templates need the header only.
//!
//! ```
//! use webgguf::load::read_header;
//! use webgguf::source::FileSource;
//! use webgguf::tokenizer::{EncodeOptions, Text};
//!
//! # fn main() -> webgguf::Result<()> { pollster::block_on(async {
//! let file = FileSource::open("www/models/embedded.gguf")?;
//! let (gguf, _) = read_header(&file, &()).await?;
//! let text = Text::from_gguf(&gguf.metadata)?;
//! let ids = text.tokenizer.encode("War and Peace", EncodeOptions { add_special: false, parse_special: false });
//! assert_eq!(text.tokenizer.decode(&ids, Default::default()), "War and Peace");
//! # Ok(()) }) }
//! ```
//!
//! # What it costs to be exact
//!
//! Every intermediate of every layer is compared with llama.cpp's. That rules out shortcuts that others take:
//! activations are never rounded to 8 bits, and a cache in f16 is used only where a device computes it right. Where
//! integers are multiplied, an activation is three of them, which keeps 23 bits.
//!
//! # Layers
//!
//! [`gpu`] knows rows and bytes. [`ops`] are what networks are made of, with their kernels, tuning and references.
//! [`formats`], [`source`] and [`load`] bring a file's tensors to the GPU, for any kind of model. [`llm`] is the family
//! of language models (feature `llm`), `encoder` that of networks that make a vector of a text (feature `encoder`), `hands`
//! that of networks for hands (feature `hands`), `speech` that of networks for speech (feature `speech`); none needs
//! another.
//! ARCHITECTURE.md has the rest.

pub mod clock;
#[cfg(feature = "constrain")]
pub mod constrain;
#[cfg(feature = "encoder")]
pub mod encoder;
pub mod error;
pub mod floats;
pub mod formats;
pub mod gpu;
#[cfg(feature = "hands")]
pub mod hands;
#[cfg(feature = "templates")]
pub mod jinja;
#[cfg(feature = "llm")]
pub mod llm;
pub mod load;
pub mod ops;
mod order;
pub mod source;
#[cfg(feature = "speech")]
pub mod speech;
#[cfg(feature = "text")]
pub mod tokenizer;
#[cfg(target_arch = "wasm32")]
mod web;

pub use error::{Error, Result};
