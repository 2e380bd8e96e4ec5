//! The first step: a file's bytes as they come, and of them all but the data of tensors.
//!
//! Protocol Buffers have no index: each field has a key and, but for numbers, its length. So a field is skipped by its
//! length, and messages are looked into where they may hold tensors.

use super::Model;
use super::message::{Cut, Header};
use crate::error::{Error, Result, bail};

/// What Protocol Buffers allow. Larger models have their data in other files.
pub const MAX_FILE_BYTES: u64 = i32::MAX as u64;
/// What is kept of a file. A network of 3,600 nodes takes 2 MB.
pub const MAX_HEADER_BYTES: usize = 16 << 20;
/// Graphs inside nodes of graphs. Four are the most of known files.
pub const MAX_DEPTH: usize = 16;
/// Fields that are smaller are kept: scalars and shapes are read without going back for them.
pub(super) const MIN_CUT_BYTES: u64 = 1024;

/// Messages that are looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
}

/// What is done with a field that has a length.
enum Plan {
    LookInto(Kind),
    Keep,
    /// Keep it where it is small.
    Cut,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Model => "the model",
            Kind::Graph => "a graph",
            Kind::Node => "a node",
            Kind::Attribute => "an attribute",
            Kind::Tensor => "a tensor",
        }
    }

    /// Field numbers are the schema's. What is not named here is not read: data, documentation, training.
    fn plan(self, field: u64) -> Plan {
        match (self, field) {
            (Kind::Model, 7) => Plan::LookInto(Kind::Graph),
            (Kind::Graph, 1) => Plan::LookInto(Kind::Node),
            (Kind::Node, 5) => Plan::LookInto(Kind::Attribute),
            (Kind::Attribute, 6 | 11) => Plan::LookInto(Kind::Graph),
            (Kind::Graph, 5) | (Kind::Attribute, 5 | 10) => Plan::LookInto(Kind::Tensor),
            (Kind::Model, 2..=4 | 8 | 14)
            | (Kind::Graph, 2 | 11 | 12)
            | (Kind::Node, 1..=4 | 7)
            | (Kind::Attribute, 1 | 4 | 7..=9 | 21)
            | (Kind::Tensor, 1 | 5..=8 | 11 | 13) => Plan::Keep,
            _ => Plan::Cut,
        }
    }
}

/// A message that has begun.
#[derive(Debug, Clone, Copy)]
struct Open {
    kind: Kind,
    /// Where it ends in the file.
    end: u64,
}

/// What comes next in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Key,
    /// A number of no fixed size.
    Number,
    Length {
        field: u64,
    },
    /// As many bytes to be kept.
    Bytes(u64),
}

/// Takes a file's bytes in order, and says where those lie that it needs next.
#[derive(Debug)]
pub struct Reader {
    /// Where the next bytes lie in the file.
    at: u64,
    file_len: Option<u64>,
    header: Header,
    /// From the model to the message that `at` is in.
    open: Vec<Open>,
    next: Next,
    /// A varint that has begun: its value so far, and its bits.
    varint: (u64, u32),
}

impl Reader {
    /// `file_len` is the file's size where it is known: what ends after it is an error then.
    ///
    /// # Errors
    /// `MalformedOnnx` where it is more than [`MAX_FILE_BYTES`].
    pub fn new(file_len: Option<u64>) -> Result<Reader> {
        let end = file_len.unwrap_or(MAX_FILE_BYTES);
        if end > MAX_FILE_BYTES {
            bail!(MalformedOnnx, "the file has {end} bytes, {MAX_FILE_BYTES} are allowed");
        }
        let open = vec![Open { kind: Kind::Model, end }];
        Ok(Reader { at: 0, file_len, header: Header::default(), open, next: Next::Key, varint: (0, 0) })
    }

    /// Where the next byte lies that is needed. All before it may be left out.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Take bytes of the file from byte `at` on, at [`Reader::position`] or before.
    ///
    /// # Errors
    /// `MalformedOnnx` as soon as the bytes show it; `Internal` where bytes have been left out that are needed.
    pub fn feed(&mut self, at: u64, bytes: &[u8]) -> Result<()> {
        if at > self.at {
            bail!(Internal, "bytes from {at} on have been fed, those from {} on are needed", self.at);
        }
        while let Some(rest) = bytes.get((self.at - at) as usize..).filter(|rest| !rest.is_empty()) {
            self.step(rest)?;
        }
        Ok(())
    }

    /// All bytes of the file have come.
    ///
    /// # Errors
    /// `MalformedOnnx`, `UnsupportedTensorType` or `UnsupportedArchitecture`, naming what in the file it is about.
    pub fn finish(mut self) -> Result<Model> {
        let inside = self.open.len() > 1 || self.next != Next::Key || self.varint.1 > 0;
        if let Some(len) = self.file_len.filter(|&len| inside || self.at != len) {
            bail!(MalformedOnnx, "the file has {len} bytes, {} have been read", self.at.min(len));
        }
        if inside {
            bail!(MalformedOnnx, "the file ends at byte {}, inside {} (truncated?)", self.at, self.inner().kind.name());
        }
        self.header.bytes.shrink_to_fit();
        Model::read(&self.header)
    }

    fn inner(&self) -> Open {
        // The model stays open to the end.
        self.open[self.open.len() - 1]
    }

    fn step(&mut self, rest: &[u8]) -> Result<()> {
        if let Next::Bytes(n) = self.next {
            let taken = n.min(rest.len() as u64);
            self.keep(&rest[..taken as usize])?;
            self.next = Next::Bytes(n - taken);
            if n == taken {
                self.end_field();
            }
            return Ok(());
        }
        let Open { kind, end } = self.inner();
        if self.at == end {
            bail!(MalformedOnnx, "{} ends at byte {end}, inside a field{}", kind.name(), self.hint());
        }
        self.keep(&rest[..1])?;
        let (value, bits) = self.varint;
        let digit = u64::from(rest[0] & 0x7f);
        // The tenth byte has one bit.
        if bits == 63 && rest[0] > 1 {
            bail!(
                MalformedOnnx,
                "the number at byte {} of the file, in {}, has more than 64 bits",
                self.at,
                kind.name()
            );
        }
        self.varint = (value | digit << bits, bits + 7);
        if rest[0] < 0x80 {
            let (value, _) = std::mem::take(&mut self.varint);
            self.number(value)?;
        }
        Ok(())
    }

    /// A varint has ended.
    fn number(&mut self, value: u64) -> Result<()> {
        let kind = self.inner().kind.name();
        match self.next {
            Next::Key => {
                let (field, wire) = (value >> 3, value & 7);
                if field == 0 || value > u64::from(u32::MAX) {
                    bail!(
                        MalformedOnnx,
                        "the field before byte {} of the file, in {kind}, has number {field}",
                        self.at
                    );
                }
                match wire {
                    0 => self.next = Next::Number,
                    2 => self.next = Next::Length { field },
                    1 => self.take(field, 8, Plan::Keep)?,
                    5 => self.take(field, 4, Plan::Keep)?,
                    _ => bail!(
                        MalformedOnnx,
                        "field {field} before byte {} of the file, in {kind}, has wire type {wire}, 0, 1, 2 and 5 are known",
                        self.at
                    ),
                }
            }
            Next::Length { field } => self.take(field, value, self.inner().kind.plan(field))?,
            Next::Number | Next::Bytes(_) => self.end_field(),
        }
        Ok(())
    }

    /// A field's `n` bytes come next.
    fn take(&mut self, field: u64, n: u64, plan: Plan) -> Result<()> {
        let Open { kind, end } = self.inner();
        if n > end - self.at {
            bail!(
                MalformedOnnx,
                "field {field} of {} takes {n} bytes from byte {} on, {} ends at byte {end}{}",
                kind.name(),
                self.at,
                if self.open.len() == 1 { "the file" } else { kind.name() },
                self.hint()
            );
        }
        match plan {
            Plan::LookInto(kind) => {
                let depth = self.open.iter().filter(|open| open.kind == Kind::Graph).count();
                if kind == Kind::Graph && depth == MAX_DEPTH {
                    bail!(MalformedOnnx, "a graph is inside {depth} others, {} are allowed", MAX_DEPTH - 1);
                }
                self.open.push(Open { kind, end: self.at + n });
                self.end_field();
            }
            Plan::Cut if n >= MIN_CUT_BYTES => {
                self.header.cuts.push(Cut::after(&self.header, n));
                self.check_memory()?;
                self.at += n;
                self.end_field();
            }
            Plan::Keep | Plan::Cut if n == 0 => self.end_field(),
            Plan::Keep | Plan::Cut => self.next = Next::Bytes(n),
        }
        Ok(())
    }

    fn end_field(&mut self) {
        self.next = Next::Key;
        while self.open.len() > 1 && self.inner().end == self.at {
            self.open.pop();
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<()> {
        self.header.bytes.extend_from_slice(bytes);
        self.at += bytes.len() as u64;
        self.check_memory()
    }

    fn check_memory(&self) -> Result<()> {
        let bytes = self.header.bytes.len() + self.header.cuts.len() * size_of::<Cut>();
        if bytes > MAX_HEADER_BYTES {
            bail!(
                MalformedOnnx,
                "what the file has beside data is more than {MAX_HEADER_BYTES} bytes up to byte {}, no more are allowed",
                self.at
            );
        }
        Ok(())
    }

    /// Where a message ends with the file, something may be missing.
    fn hint(&self) -> &'static str {
        if self.open.len() == 1 { " (truncated?)" } else { "" }
    }
}

impl Model {
    /// Read the bytes of a whole file.
    ///
    /// # Errors
    /// As [`Reader::feed`] and [`Reader::finish`].
    pub fn parse(bytes: &[u8]) -> Result<Model> {
        let mut reader = Reader::new(Some(bytes.len() as u64))?;
        reader.feed(0, bytes)?;
        reader.finish()
    }
}

/// The reader's error, with the object that it is about before it. Names are shortened: files may have any.
pub(super) fn within<T>(result: Result<T>, object: impl FnOnce() -> String) -> Result<T> {
    const MOST: usize = 200;
    result.map_err(|error| {
        let mut object = object();
        if let Some((cut, _)) = object.char_indices().nth(MOST) {
            object.truncate(cut);
            object += "…";
        }
        let with_object = |why| format!("{object}: {why}");
        match error {
            Error::MalformedOnnx(why) => Error::MalformedOnnx(with_object(why)),
            Error::UnsupportedTensorType(why) => Error::UnsupportedTensorType(with_object(why)),
            Error::UnsupportedArchitecture(why) => Error::UnsupportedArchitecture(with_object(why)),
            other => other,
        }
    })
}
