//! What an int8 export of Kokoro has for its layers: weights of quantised nodes, as rows of codes with a scale each, and floats.

use std::collections::HashMap;

use crate::error::{Result, bail};
use crate::formats::gguf::{GgmlType, GgufWriter, NewTensor};
use crate::formats::onnx::{Converter, DataType, Model, Node};

/// What ONNX Runtime's quantiser appends to the names of weights and of their scales.
const QUANTIZED: &str = "_quantized";
const SCALE: &str = "_scale";
/// Units of an LSTM.
const HIDDEN: usize = 256;

/// Rows of weights `(rows, taps, channels)`, of codes with a scale a row.
pub struct Codes {
    codes: Vec<i8>,
    scales: Vec<f32>,
    taps: usize,
    channels: usize,
}

/// An ONNX file, and the GGUF file that is made of it.
pub struct Export<'a> {
    nodes: HashMap<&'a str, &'a Node>,
    converter: Converter<'a>,
}

impl Codes {
    fn rows(&self) -> usize {
        self.scales.len()
    }

    /// The weights.
    pub fn floats(&self) -> Vec<f32> {
        let width = (self.taps * self.channels).max(1);
        let rows = self.codes.chunks_exact(width).zip(&self.scales);
        rows.flat_map(|(row, scale)| row.iter().map(move |&code| f32::from(code) * scale)).collect()
    }

    /// The rows of both.
    pub fn join(mut self, other: Codes) -> Result<Codes> {
        if [self.taps, self.channels] != [other.taps, other.channels] {
            bail!(MalformedOnnx, "rows of {} and of {} are to be one matrix", self.channels, other.channels);
        }
        self.codes.extend(other.codes);
        self.scales.extend(other.scales);
        Ok(self)
    }
}

/// Each run of `width` elements, filled up to a multiple of 16.
fn padded<T: Copy + Default>(values: &[T], width: usize) -> Vec<T> {
    let filling = width.next_multiple_of(16) - width;
    values
        .chunks_exact(width.max(1))
        .flat_map(|run| run.iter().copied().chain((0..filling).map(|_| T::default())))
        .collect()
}

impl<'a> Export<'a> {
    pub fn new(model: &'a Model, file: &'a [u8]) -> Self {
        let nodes = model.graph.nodes.iter().map(|n| (n.name.as_str(), n)).collect();
        Export { nodes, converter: Converter::new(model, file) }
    }

    /// The name of what a node reads.
    fn input(&self, node: &str, i: usize) -> Result<&'a str> {
        match self.nodes.get(node).and_then(|n| n.input(i)) {
            Some(name) => Ok(name),
            None => bail!(MalformedOnnx, "node '{node}' is missing, or its input {i} is"),
        }
    }

    /// A tensor's shape, and its elements as numbers.
    fn integers(&self, name: &str) -> Result<(Vec<usize>, Vec<i32>)> {
        let (tensor, bytes) = (self.converter.tensor(name)?, self.converter.bytes(name)?);
        let integers = match tensor.ty {
            DataType::Int8 => bytes.iter().map(|&b| i32::from(b.cast_signed())).collect(),
            DataType::Uint8 => bytes.iter().map(|&b| i32::from(b)).collect(),
            other => bail!(UnsupportedTensorType, "tensor '{name}' has type {other}, INT8 or UINT8 is needed"),
        };
        Ok((tensor.shape.iter().map(|&d| d as usize).collect(), integers))
    }

    fn shaped(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>)> {
        let (tensor, bytes) = (self.converter.tensor(name)?, self.converter.bytes(name)?);
        if tensor.ty != DataType::Float {
            bail!(UnsupportedTensorType, "tensor '{name}' has type {}, FLOAT is needed", tensor.ty);
        }
        let floats = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        Ok((tensor.shape.iter().map(|&d| d as usize).collect(), floats))
    }

    /// A tensor of floats.
    pub fn floats(&self, name: &str) -> Result<Vec<f32>> {
        Ok(self.shaped(name)?.1)
    }

    /// The floats that a node reads, and their shape.
    pub fn input_floats(&self, node: &str, i: usize) -> Result<(Vec<usize>, Vec<f32>)> {
        self.shaped(self.input(node, i)?)
    }

    /// The weights of a quantised node: a convolution's `(N, C, kernel)`, a matmul's `(K, N)`.
    pub fn codes(&self, node: &str) -> Result<Codes> {
        let name = self.input(node, 1)?;
        let (shape, codes) = self.integers(name)?;
        let zero = match self.input(node, 3) {
            Ok(zero) => self.integers(zero)?.1,
            Err(_) => vec![0],
        };
        if codes.is_empty() {
            bail!(MalformedOnnx, "tensor '{name}' has shape {shape:?}, which has no elements");
        }
        let [rows, channels, taps] = match shape[..] {
            [n, c, kernel] => [n, c, kernel],
            [k, n] => [n, k, 1],
            _ => bail!(MalformedOnnx, "tensor '{name}' has shape {shape:?}, two or three dimensions are needed"),
        };
        let is_matrix = shape.len() == 2;
        let at = |row: usize, tap: usize, c: usize| {
            if is_matrix { c * rows + row } else { (row * channels + c) * taps + tap }
        };
        let Some(scale) = name.strip_suffix(QUANTIZED).map(|base| format!("{base}{SCALE}")) else {
            bail!(MalformedOnnx, "tensor '{name}' is not named as quantised weights are, NAME{QUANTIZED}");
        };
        let scale = self.floats(&scale)?;
        if ![1, rows].contains(&scale.len()) || ![1, rows].contains(&zero.len()) {
            bail!(MalformedOnnx, "'{name}' has {} scales and {} zero points for {rows} rows", scale.len(), zero.len());
        }
        let mut out = Codes { codes: Vec::with_capacity(codes.len()), scales: Vec::new(), taps, channels };
        for row in 0..rows {
            out.scales.push(scale[row % scale.len()]);
            for tap in 0..taps {
                for c in 0..channels {
                    let code = codes[at(row, tap, c)] - zero[row % zero.len()];
                    let Ok(code) = i8::try_from(code) else {
                        bail!(
                            UnsupportedTensorType,
                            "'{name}' has a code {code} from its zero point, -128 to 127 are supported"
                        );
                    };
                    out.codes.push(code);
                }
            }
        }
        Ok(out)
    }

    /// A table of embeddings, of codes with one scale.
    pub fn table(&self, name: &str) -> Result<Codes> {
        let quantized = format!("{name}{QUANTIZED}");
        let (shape, codes) = self.integers(&quantized)?;
        let scale = self.floats(&format!("{name}{SCALE}"))?;
        let (&[rows, channels], &[scale], false) = (&shape[..], &scale[..], codes.is_empty()) else {
            bail!(MalformedOnnx, "table '{quantized}' has shape {shape:?} and {} scales", scale.len());
        };
        let codes: Vec<i8> = codes.iter().map(|&code| code as i8).collect();
        Ok(Codes { codes, scales: vec![scale; rows], taps: 1, channels })
    }

    /// Write `NAME.weight (rows, taps channels)` I8, each tap's channels filled up to a multiple of 16, and `NAME.scale (rows)`.
    pub fn write_codes(&mut self, name: &str, codes: &Codes) {
        let width = codes.taps * codes.channels.next_multiple_of(16);
        let bytes = padded(&codes.codes, codes.channels).iter().map(|code| code.cast_unsigned()).collect();
        self.add(&format!("{name}.weight"), GgmlType::I8, &[codes.rows(), width], bytes);
        self.write_floats(&format!("{name}.scale"), &[codes.rows()], &codes.scales);
    }

    pub fn write_floats(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.add(name, GgmlType::F32, shape, bytes);
    }

    /// A vector under another name.
    pub fn copy(&mut self, name: &str, from: &str) -> Result<()> {
        let values = self.floats(from)?;
        self.write_floats(name, &[values.len()], &values);
        Ok(())
    }

    /// An LSTM in both directions: what the input gives to the gates as one matrix, with the sum of the two biases; recurrent weights with
    /// four gates of a unit by four elements of the state side by side.
    pub fn lstm(&mut self, name: &str, node: &str) -> Result<()> {
        let gates = 4 * HIDDEN;
        let part = |input: usize| {
            let (shape, codes) = self.integers(self.input(node, input)?)?;
            let (_, scales) = self.input_floats(node, if input == 1 { 8 } else { 10 })?;
            let (_, zeros) = self.integers(self.input(node, if input == 1 { 9 } else { 11 })?)?;
            let (&[2, k, n], 2, true) = (&shape[..], scales.len(), zeros.iter().all(|&z| z == 0)) else {
                bail!(MalformedOnnx, "input {input} of '{node}' has shape {shape:?} and {} scales", scales.len());
            };
            if n != gates || k == 0 || (input == 2 && k != HIDDEN) {
                bail!(MalformedOnnx, "input {input} of '{node}' has shape {shape:?}, {gates} gates are needed");
            }
            Ok((k, codes, scales))
        };
        let (k, w, w_scales) = part(1)?;
        let (_, r, r_scales) = part(2)?;
        let (_, bias) = self.input_floats(node, 3)?;
        if bias.len() != 4 * gates {
            bail!(MalformedOnnx, "'{node}' has {} biases, {} are needed", bias.len(), 4 * gates);
        }
        // (2, k, gates) to (2 gates, k)
        let at = |d: usize, k_all: usize, i: usize, gate: usize| (d * k_all + i) * gates + gate;
        let rows = (0..2).flat_map(|d| (0..gates).map(move |gate| (d, gate)));
        let codes =
            rows.flat_map(|(d, gate)| (0..k).map(move |i| (d, gate, i))).map(|(d, gate, i)| w[at(d, k, i, gate)] as i8);
        let scales = w_scales.iter().flat_map(|&scale| std::iter::repeat_n(scale, gates)).collect();
        let input = Codes { codes: codes.collect(), scales, taps: 1, channels: k };
        let mut hidden = Vec::with_capacity(2 * gates * HIDDEN);
        for (d, group) in (0..2).flat_map(|d| (0..HIDDEN / 4).map(move |group| (d, group))) {
            for (unit, gate) in (0..HIDDEN).flat_map(|unit| (0..4).map(move |gate| (unit, gate))) {
                hidden.extend(
                    (0..4).map(|i| (r[at(d, HIDDEN, 4 * group + i, gate * HIDDEN + unit)] as i8).cast_unsigned()),
                );
            }
        }
        let sum: Vec<f32> =
            bias.chunks_exact(2 * gates).flat_map(|b| (0..gates).map(move |i| b[i] + b[gates + i])).collect();
        self.write_codes(&format!("{name}.input"), &input);
        self.write_floats(&format!("{name}.input.bias"), &[sum.len()], &sum);
        self.add(&format!("{name}.hidden.weight"), GgmlType::I8, &[2 * HIDDEN * HIDDEN / 4, 16], hidden);
        self.write_floats(&format!("{name}.hidden.scale"), &[2], &r_scales);
        Ok(())
    }

    /// A transposed convolution whose kernel is twice its stride, `(C, N, 2 stride)`, as one of kernel 2 that makes `stride` places at a
    /// time, `(stride N, 2 C)`: place `stride q + p` sums `x[q - 1] w[p + stride]` and `x[q] w[p]`.
    pub fn transposed(&mut self, name: &str, node: &str, stride: usize) -> Result<()> {
        let (shape, w) = self.input_floats(node, 1)?;
        let (&[c, n, kernel], false) = (&shape[..], w.is_empty()) else {
            bail!(MalformedOnnx, "the weights of '{node}' have shape {shape:?}")
        };
        if kernel != 2 * stride {
            bail!(MalformedOnnx, "'{node}' has a kernel of {kernel}, {} is needed", 2 * stride);
        }
        let mut rows = Vec::with_capacity(w.len());
        for (place, channel) in (0..stride).flat_map(|place| (0..n).map(move |channel| (place, channel))) {
            for tap in [stride + place, place] {
                rows.extend((0..c).map(|i| w[(i * n + channel) * kernel + tap]));
            }
        }
        self.write_floats(&format!("{name}.weight"), &[stride * n, 2 * c], &rows);
        Ok(())
    }

    /// A convolution of floats `(N, C, kernel)` as `(N, kernel C)`.
    pub fn conv_of_floats(&mut self, name: &str, node: &str) -> Result<()> {
        let (shape, w) = self.input_floats(node, 1)?;
        let (&[n, c, kernel], false) = (&shape[..], w.is_empty()) else {
            bail!(MalformedOnnx, "the weights of '{node}' have shape {shape:?}")
        };
        let taps =
            (0..n).flat_map(|row| (0..kernel).flat_map(move |tap| (0..c).map(move |i| (row * c + i) * kernel + tap)));
        let rows: Vec<f32> = taps.map(|at| w[at]).collect();
        self.write_floats(&format!("{name}.weight"), &[n, kernel * c.next_multiple_of(16)], &padded(&rows, c));
        Ok(())
    }

    fn add(&mut self, name: &str, ty: GgmlType, shape: &[usize], bytes: Vec<u8>) {
        let shape = shape.iter().map(|&d| d as u32).collect();
        self.converter.add(NewTensor { name: name.into(), ty, shape, bytes });
    }

    pub fn finish(self, metadata: GgufWriter) -> Result<Vec<u8>> {
        self.converter.finish(metadata)
    }
}
