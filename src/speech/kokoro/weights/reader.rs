//! Takes the weights' tensors from a file's header, one by one: names, shapes, and where their data goes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::{
    Bert, Block, DECODED, Decoder, Duration, ENCODED, Generator, Linear, Lstm, MAX_TOKENS, N_TOKENS, Norm, Prosody,
    STAGES, STYLE, SnakeBlock, SnakeConv, Stage, StyleAt, Styles, TextEncoder, Weights,
};
use crate::error::{Result, bail};
use crate::formats::gguf::{GgmlType, Gguf, TensorInfo};
use crate::gpu::{Allocate, Buffer, Ledger, Usage};
use crate::load::{Destination, Load};
use crate::ops::{Matrix, Recurrent, Vector};

/// A scale and a shift for each channel of a norm.
struct StyleName {
    name: String,
    first: u32,
    rows: u32,
}

/// Where tensors are looked up.
pub enum Tensors<'a> {
    Of(&'a Gguf),
    /// There are all that are asked for.
    Listed(RefCell<Vec<TensorInfo>>),
}

/// Takes the weights' tensors.
pub struct Reader<'a> {
    pub tensors: Tensors<'a>,
    memory: &'a Ledger,
    pub loads: RefCell<Vec<Load>>,
    styles: RefCell<Vec<StyleName>>,
    n_styles: Cell<u32>,
}

impl<'a> Reader<'a> {
    pub fn new(tensors: Tensors<'a>, memory: &'a Ledger) -> Self {
        Reader { tensors, memory, loads: RefCell::default(), styles: RefCell::default(), n_styles: Cell::default() }
    }

    /// All weights.
    pub fn weights(&self) -> Result<Weights> {
        let (bert, text_encoder, duration, prosody) =
            (self.bert()?, self.text_encoder()?, self.duration()?, self.prosody()?);
        let prosody_styles = self.styles("prosody.styles")?;
        let (decoder, generator) = (self.decoder()?, self.generator()?);
        let decoder_styles = self.styles("decoder.styles")?;
        Ok(Weights { bert, text_encoder, duration, prosody, prosody_styles, decoder, generator, decoder_styles })
    }

    fn bert(&self) -> Result<Bert> {
        Ok(Bert {
            token_embd: self.codes("bert.token_embd", N_TOKENS, 128)?,
            position_embd: self.codes("bert.position_embd", MAX_TOKENS, 128)?,
            type_embd: self.vector("bert.type_embd", 128)?,
            embd_norm: self.norm("bert.embd_norm", 128)?,
            embd_project: self.linear("bert.embd_project", 768, 128)?,
            attn_qkv: self.linear("bert.attn_qkv", 3 * 768, 768)?,
            attn_output: self.linear("bert.attn_output", 768, 768)?,
            attn_norm: self.norm("bert.attn_norm", 768)?,
            ffn_up: self.linear("bert.ffn_up", 2048, 768)?,
            ffn_down: self.linear("bert.ffn_down", 768, 2048)?,
            ffn_norm: self.norm("bert.ffn_norm", 768)?,
            output: self.linear("bert.output", 512, 768)?,
        })
    }

    fn text_encoder(&self) -> Result<TextEncoder> {
        let conv = |i| {
            Ok((
                self.linear(&format!("text_encoder.conv{i}"), 512, 5 * 512)?,
                self.norm(&format!("text_encoder.norm{i}"), 512)?,
            ))
        };
        Ok(TextEncoder {
            embd: self.codes("text_encoder.embd", N_TOKENS, 512)?,
            convs: (0..3).map(conv).collect::<Result<_>>()?,
            lstm: self.lstm("text_encoder.lstm", 512)?,
        })
    }

    fn duration(&self) -> Result<Duration> {
        let layer = |i| {
            let lstm = self.lstm(&format!("duration.lstm{i}"), 512 + STYLE)?;
            Ok((lstm, self.style(&format!("duration.norm{i}"), 512)))
        };
        Ok(Duration {
            layers: (0..3).map(layer).collect::<Result<_>>()?,
            lstm: self.lstm("duration.lstm3", 512 + STYLE)?,
            project: self.linear("duration.project", 50, 512)?,
        })
    }

    fn prosody(&self) -> Result<Prosody> {
        let blocks = |name: &str| {
            Ok(vec![
                self.block(&format!("{name}.block0"), [512, 512], false)?,
                self.block(&format!("{name}.block1"), [512, 256], true)?,
                self.block(&format!("{name}.block2"), [256, 256], false)?,
            ])
        };
        Ok(Prosody {
            lstm: self.lstm("prosody.lstm", 512 + STYLE)?,
            f0: blocks("f0")?,
            noise: blocks("noise")?,
            curves: self.linear("curves.project", 2, 256)?,
        })
    }

    fn decoder(&self) -> Result<Decoder> {
        let decode = |i| {
            let channels = [DECODED, if i == 3 { 512 } else { 1024 }];
            self.block(&format!("decoder.decode{i}"), channels, i == 3)
        };
        Ok(Decoder {
            curves_conv: (self.vector("curves.conv.weight", 6)?, self.vector("curves.conv.bias", 2)?),
            text_conv: self.linear("decoder.text_conv", 64, 512)?,
            encode: self.block("decoder.encode", [ENCODED, 1024], false)?,
            decode: (0..4).map(decode).collect::<Result<_>>()?,
        })
    }

    fn generator(&self) -> Result<Generator> {
        let stage = |i: usize| {
            let (stride, _, n) = STAGES[i];
            let (noise_taps, noise_kernel) = [(12, 7), (1, 11)][i];
            let block = |j: usize| self.snake_block(&format!("generator.block{}", 3 * i + j), n, [3, 7, 11][j]);
            let up = format!("generator.up{i}");
            let w = self.floats(&format!("{up}.weight"), stride * n, 2 * 2 * n)?;
            Ok(Stage {
                noise_conv: self.linear(&format!("generator.noise_conv{i}"), n, noise_taps * 32)?,
                noise_block: self.snake_block(&format!("generator.noise_block{i}"), n, noise_kernel)?,
                up: Linear { w, bias: self.vector(&format!("{up}.bias"), n)? },
                blocks: (0..3).map(block).collect::<Result<_>>()?,
            })
        };
        let post = self.floats("generator.post.weight", 22, 7 * 128)?;
        Ok(Generator {
            source: (self.vector("generator.source.weight", 9)?, self.vector("generator.source.bias", 1)?),
            window: self.vector("generator.stft.window", 20)?,
            stages: (0..2).map(stage).collect::<Result<_>>()?,
            post: Linear { w: post, bias: self.vector("generator.post.bias", 22)? },
            basis: self.floats("generator.istft.basis", 22, 20)?,
            window_sum: self.vector("generator.istft.window_sum", 20)?,
        })
    }

    /// `[C, N]` channels.
    fn block(&self, name: &str, [c, n]: [u32; 2], pool: bool) -> Result<Block> {
        let c16 = c.next_multiple_of(16);
        let shortcut = (c != n).then(|| self.codes(&format!("{name}.shortcut"), n, c16)).transpose()?;
        let pool = match pool {
            false => None,
            true => Some((
                self.floats(&format!("{name}.pool.weight"), 3, c)?,
                self.vector(&format!("{name}.pool.bias"), c)?,
            )),
        };
        Ok(Block {
            norm1: self.style(&format!("{name}.norm1"), c),
            norm2: self.style(&format!("{name}.norm2"), n),
            conv1: self.linear(&format!("{name}.conv1"), n, 3 * c16)?,
            conv2: self.linear(&format!("{name}.conv2"), n, 3 * n)?,
            shortcut,
            pool,
            width: n,
        })
    }

    fn snake_block(&self, name: &str, n: u32, kernel: u32) -> Result<SnakeBlock> {
        let conv = |i, j| {
            Ok(SnakeConv {
                norm: self.style(&format!("{name}.norm{i}.{j}"), n),
                alpha: self.vector(&format!("{name}.alpha{i}.{j}"), n)?,
                conv: self.linear(&format!("{name}.conv{i}.{j}"), n, kernel * n)?,
            })
        };
        let pairs = (0..3).map(|j| Ok([conv(1, j)?, conv(2, j)?])).collect::<Result<_>>()?;
        Ok(SnakeBlock { kernel, pairs })
    }

    fn lstm(&self, name: &str, c: u32) -> Result<Lstm> {
        let hidden = 256;
        let codes = format!("{name}.hidden.weight");
        let recurrent = Recurrent {
            codes: self.bytes(&codes, GgmlType::I8, &[2 * hidden * hidden / 4, 16], Recurrent::code_bytes(hidden))?,
            scales: self.bytes(&format!("{name}.hidden.scale"), GgmlType::F32, &[2], 8)?,
            hidden,
        };
        Ok(Lstm { input: self.linear(&format!("{name}.input"), 8 * hidden, c)?, recurrent })
    }

    fn norm(&self, name: &str, c: u32) -> Result<Norm> {
        Ok(Norm { weight: self.vector(&format!("{name}.weight"), c)?, bias: self.vector(&format!("{name}.bias"), c)? })
    }

    /// `NAME.weight (rows, cols)`, codes, and `NAME.bias`.
    fn linear(&self, name: &str, rows: u32, cols: u32) -> Result<Linear> {
        Ok(Linear { w: self.codes(name, rows, cols)?, bias: self.vector(&format!("{name}.bias"), rows)? })
    }

    /// The scales and shifts of a norm of C channels: they join those of the others.
    fn style(&self, name: &str, c: u32) -> StyleAt {
        let first = self.n_styles.get();
        self.styles.borrow_mut().push(StyleName { name: format!("{name}.style"), first, rows: 2 * c });
        self.n_styles.set(first + 2 * c);
        StyleAt(first)
    }

    /// The matrix of all norms since the last one.
    fn styles(&self, label: &str) -> Result<Styles> {
        let rows = self.n_styles.take();
        let w = Rc::new(Matrix::of_codes(self.memory, label, rows, STYLE)?);
        let bias = Vector { buffer: self.memory.buffer(label, u64::from(rows) * 4, Usage::Storage)?, len: rows };
        for style in self.styles.take() {
            self.codes_into(&style.name, &w, style.first, style.rows)?;
            self.part(&format!("{}.bias", style.name), style.rows, &bias.buffer, style.first)?;
        }
        Ok(Styles { w, bias })
    }

    /// `NAME.weight (rows, cols)` I8 and `NAME.scale (rows)`.
    fn codes(&self, name: &str, rows: u32, cols: u32) -> Result<Rc<Matrix>> {
        let matrix = Rc::new(Matrix::of_codes(self.memory, name, rows, cols)?);
        self.codes_into(name, &matrix, 0, rows)?;
        Ok(matrix)
    }

    fn codes_into(&self, name: &str, matrix: &Rc<Matrix>, row0: u32, rows: u32) -> Result<()> {
        let [part] = &matrix.parts[..] else { bail!(Internal, "'{name}' is in parts") };
        let Some(sc) = &part.sc else { bail!(Internal, "'{name}' has no scales") };
        let tensor = self.tensor(&format!("{name}.weight"), GgmlType::I8, &[rows, matrix.cols])?;
        self.load(tensor, Destination::Rows { matrix: matrix.clone(), row0, step: 1 });
        self.part(&format!("{name}.scale"), rows, sc, row0)
    }

    fn floats(&self, name: &str, rows: u32, cols: u32) -> Result<Rc<Matrix>> {
        let tensor = self.tensor(name, GgmlType::F32, &[rows, cols])?;
        let matrix = Rc::new(Matrix::as_f32(self.memory, name, GgmlType::F32, rows, cols)?);
        self.load(tensor, Destination::Rows { matrix: matrix.clone(), row0: 0, step: 1 });
        Ok(matrix)
    }

    fn vector(&self, name: &str, len: u32) -> Result<Vector> {
        let buffer = self.memory.buffer(name, u64::from(len.next_multiple_of(16)) * 4, Usage::Storage)?;
        self.part(name, len, &buffer, 0)?;
        Ok(Vector { buffer, len })
    }

    /// F32 `(len)` to the elements of a buffer from `first` on.
    fn part(&self, name: &str, len: u32, buffer: &Rc<Buffer>, first: u32) -> Result<()> {
        let tensor = self.tensor(name, GgmlType::F32, &[len])?;
        self.load(tensor, Destination::Bytes { buffer: buffer.clone(), at_bytes: u64::from(first) * 4 });
        Ok(())
    }

    fn bytes(&self, name: &str, ty: GgmlType, shape: &[u32], bytes: u64) -> Result<Rc<Buffer>> {
        let tensor = self.tensor(name, ty, shape)?;
        let buffer = self.memory.buffer(name, bytes, Usage::Storage)?;
        self.load(tensor, Destination::Bytes { buffer: buffer.clone(), at_bytes: 0 });
        Ok(buffer)
    }

    fn load(&self, tensor: TensorInfo, destination: Destination) {
        self.loads.borrow_mut().push(Load { tensor, destination });
    }

    fn tensor(&self, name: &str, ty: GgmlType, shape: &[u32]) -> Result<TensorInfo> {
        let shape: Vec<u64> = shape.iter().map(|&d| d.into()).collect();
        let gguf = match &self.tensors {
            Tensors::Of(gguf) => gguf,
            Tensors::Listed(list) => {
                let tensor = TensorInfo { name: name.into(), ty, shape, file_range: 0..0 };
                list.borrow_mut().push(tensor.clone());
                return Ok(tensor);
            }
        };
        let t = gguf.require(name)?;
        if t.shape != shape {
            bail!(MalformedGguf, "tensor '{name}' has shape {:?}, {shape:?} is needed", t.shape);
        }
        if t.ty != ty {
            bail!(UnsupportedTensorType, "tensor '{name}' has type {}, {ty} is needed", t.ty);
        }
        Ok(t.clone())
    }
}
