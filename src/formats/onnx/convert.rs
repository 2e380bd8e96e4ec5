//! From an ONNX file to a GGUF file. A family of models says which tensors it takes, under which names and in which order
//! of axes; what is copied keeps its bits.
//!
//! Weights that are stored as bytes stay so, as I8: the tensor `NAME` has its scale beside it as `NAME_scale` (F32), and its
//! zero point as `NAME_zero` (I8) where that is not 0. ggml has no unsigned bytes; those of UINT8 are 128 less as I8, and so
//! is their zero point, so that `scale * (code - zero)` is the same.

use std::collections::HashMap;

use super::{DataType, Model, Tensor};
use crate::error::{Result, bail};
use crate::formats::gguf::{GgmlType, GgufWriter, NewTensor, write};

/// A tensor to be copied.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// The name of an initializer, or of what a `Constant` node writes, in any graph of the file.
    pub from: &'a str,
    /// The name in the GGUF file.
    pub to: &'a str,
    /// The type that the tensor has.
    pub ty: GgmlType,
    /// Axis `i` is axis `axes[i]` of the file's; all as they are where this is empty.
    pub axes: &'a [usize],
    /// Outermost first, as it is written: what the file has, with axes in the order above, and with or without ones.
    pub shape: &'a [u32],
}

/// A GGUF file in the making, out of an ONNX file.
pub struct Converter<'a> {
    file: &'a [u8],
    /// `None` where several tensors have the name.
    constants: HashMap<&'a str, Option<&'a Tensor>>,
    tensors: Vec<NewTensor>,
}

impl<'a> Converter<'a> {
    /// `file` is all of the file that the model has been read from.
    #[must_use]
    pub fn new(model: &'a Model, file: &'a [u8]) -> Self {
        let mut constants = HashMap::new();
        for (name, tensor) in model.constants() {
            constants.entry(name).and_modify(|first| *first = None).or_insert(Some(tensor));
        }
        Converter { file, constants, tensors: Vec::new() }
    }

    /// A tensor of the ONNX file.
    ///
    /// # Errors
    /// `MalformedOnnx` where the file has none of that name, or several.
    pub fn tensor(&self, name: &str) -> Result<&'a Tensor> {
        match self.constants.get(name) {
            Some(Some(tensor)) => Ok(tensor),
            Some(None) => bail!(MalformedOnnx, "several tensors of the file are '{name}', one is needed"),
            None => bail!(MalformedOnnx, "tensor '{name}' is missing from the file"),
        }
    }

    /// The little-endian bytes of a tensor of the ONNX file.
    ///
    /// # Errors
    /// As [`Converter::tensor`]; `UnsupportedArchitecture` where they are in another file; `UnsupportedTensorType` for text.
    pub fn bytes(&self, name: &str) -> Result<&'a [u8]> {
        let tensor = self.tensor(name)?;
        match (tensor.bytes(self.file), &tensor.data) {
            (Some(bytes), _) => Ok(bytes),
            (None, super::Data::External(other)) => {
                bail!(
                    UnsupportedArchitecture,
                    "the data of '{name}' is in '{other}', data in the same file is supported"
                )
            }
            (None, _) => bail!(UnsupportedTensorType, "tensor '{name}' has type {}, numbers are supported", tensor.ty),
        }
    }

    /// Copy a tensor.
    ///
    /// # Errors
    /// As [`Converter::bytes`]; `UnsupportedTensorType` and `MalformedOnnx` where its type or its shape is another.
    pub fn copy(&mut self, item: &Item<'_>) -> Result<()> {
        let Item { from, to, ty, axes, shape } = *item;
        let (tensor, bytes) = (self.tensor(from)?, self.bytes(from)?);
        if ggml_type(tensor.ty) != Some(ty) {
            bail!(UnsupportedTensorType, "tensor '{from}' has type {}, {ty} is needed for '{to}'", tensor.ty);
        }
        let same: Vec<usize> = (0..tensor.shape.len()).collect();
        let axes = if axes.is_empty() { &same } else { axes };
        let mut sorted = axes.to_vec();
        sorted.sort_unstable();
        let permuted: Vec<u64> = axes.iter().filter_map(|&i| tensor.shape.get(i).copied()).collect();
        let without_ones = |shape: &mut dyn Iterator<Item = u64>| shape.filter(|&n| n != 1).collect::<Vec<_>>();
        let wanted = without_ones(&mut shape.iter().map(|&n| n.into()));
        if sorted != same || without_ones(&mut permuted.iter().copied()) != wanted {
            bail!(
                MalformedOnnx,
                "tensor '{from}' has shape {:?}, whose axes {axes:?} are not the shape {shape:?} of '{to}'",
                tensor.shape
            );
        }
        let mut bytes = permute(bytes, (ty.block_bytes()) as usize, &tensor.shape, axes);
        if tensor.ty == DataType::Uint8 {
            bytes.iter_mut().for_each(|code| *code ^= 0x80);
        }
        self.add(NewTensor { name: to.into(), ty, shape: shape.into(), bytes });
        Ok(())
    }

    /// Copy weights that are stored as bytes, with the scales and, unless they are all 0, the zero points of these names. There
    /// is one of each, or as many as an axis has places.
    ///
    /// # Errors
    /// As [`Converter::copy`]; `MalformedOnnx` where scales and zero points do not fit.
    pub fn copy_quantized(&mut self, item: &Item<'_>, scale: &str, zero_point: Option<&str>) -> Result<()> {
        self.copy(item)?;
        let to = format!("{}_scale", item.to);
        let n = self.n_beside(item, scale)?;
        self.copy(&Item { from: scale, to: &to, ty: GgmlType::F32, axes: &[], shape: &[n] })?;
        let ty = self.tensor(item.from)?.ty;
        // What is 0 among the bytes that are written.
        let nothing = if ty == DataType::Uint8 { 0x80 } else { 0 };
        let to = format!("{}_zero", item.to);
        let Some(zero_point) = zero_point else {
            if nothing != 0 {
                // The zero point is 0 of UINT8, which is -128 here.
                self.add(NewTensor { name: to, ty: GgmlType::I8, shape: vec![1], bytes: vec![nothing] });
            }
            return Ok(());
        };
        let n = self.n_beside(item, zero_point)?;
        let found = self.tensor(zero_point)?.ty;
        if found != ty {
            bail!(MalformedOnnx, "'{zero_point}' has type {found}, {ty} is needed as of '{}'", item.from);
        }
        if self.bytes(zero_point)?.iter().all(|&code| code == nothing) {
            return Ok(());
        }
        self.copy(&Item { from: zero_point, to: &to, ty: GgmlType::I8, axes: &[], shape: &[n] })
    }

    /// The number of elements of a tensor that has one for the item's tensor, or one for each place of an axis.
    fn n_beside(&self, item: &Item<'_>, name: &str) -> Result<u32> {
        let n = self.tensor(name)?.n_elems();
        match [1].iter().chain(item.shape).find(|&&d| n == u64::from(d)) {
            Some(&n) => Ok(n),
            None => {
                bail!(
                    MalformedOnnx,
                    "'{name}' has {n} elements, 1 or as many as an axis of {:?} are needed",
                    item.shape
                )
            }
        }
    }

    /// Add a tensor that a family has made itself.
    pub fn add(&mut self, tensor: NewTensor) {
        self.tensors.push(tensor);
    }

    /// The bytes of the GGUF file, with the metadata that `metadata` has. The file is read back, and each tensor compared.
    ///
    /// # Errors
    /// As [`write`].
    pub fn finish(self, metadata: GgufWriter) -> Result<Vec<u8>> {
        write(metadata, &self.tensors)
    }
}

/// The type that has the same bits in ggml.
fn ggml_type(ty: DataType) -> Option<GgmlType> {
    match ty {
        DataType::Float => Some(GgmlType::F32),
        DataType::Float16 => Some(GgmlType::F16),
        DataType::Bfloat16 => Some(GgmlType::BF16),
        DataType::Double => Some(GgmlType::F64),
        DataType::Int8 | DataType::Uint8 => Some(GgmlType::I8),
        DataType::Int16 => Some(GgmlType::I16),
        DataType::Int32 => Some(GgmlType::I32),
        DataType::Int64 => Some(GgmlType::I64),
        _ => None,
    }
}

/// The elements of a tensor, each of `width` bytes, in the order in which axis `i` is axis `axes[i]` of `shape`.
fn permute(bytes: &[u8], width: usize, shape: &[u64], axes: &[usize]) -> Vec<u8> {
    let mut strides = vec![1; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i] * shape[i] as usize;
    }
    let sizes: Vec<usize> = axes.iter().map(|&i| shape[i] as usize).collect();
    let strides: Vec<usize> = axes.iter().map(|&i| strides[i]).collect();
    let mut permuted = Vec::with_capacity(bytes.len());
    let mut place = vec![0; sizes.len()];
    for _ in 0..bytes.len() / width {
        let from: usize = place.iter().zip(&strides).map(|(p, s)| p * s).sum();
        permuted.extend_from_slice(&bytes[width * from..width * (from + 1)]);
        for (p, n) in place.iter_mut().zip(&sizes).rev() {
            *p += 1;
            if *p < *n {
                break;
            }
            *p = 0;
        }
    }
    permuted
}

#[cfg(test)]
mod tests {
    use super::permute;

    #[test]
    fn axes_change_places() {
        let bytes: Vec<u8> = (0..24).collect();
        assert_eq!(permute(&bytes, 1, &[2, 3, 4], &[0, 1, 2]), bytes);
        let permuted = permute(&bytes, 1, &[2, 3, 4], &[2, 0, 1]);
        for (i, j, k) in (0..2).flat_map(|i| (0..3).flat_map(move |j| (0..4).map(move |k| (i, j, k)))) {
            assert_eq!(permuted[k * 6 + i * 3 + j], bytes[i * 12 + j * 4 + k]);
        }
        assert_eq!(permute(&bytes[..8], 2, &[2, 2], &[1, 0]), [0, 1, 4, 5, 2, 3, 6, 7]);
        assert_eq!(permute(&bytes[..4], 4, &[], &[]), [0, 1, 2, 3]);
        assert!(permute(&[], 4, &[0, 3], &[1, 0]).is_empty());
    }
}
