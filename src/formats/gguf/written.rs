//! Whole files out of tensors, read back before they are handed out.

use super::{GgmlType, GgufWriter, Parsed, parse};
use crate::error::{Result, bail};

/// A tensor of a file that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTensor {
    pub name: String,
    pub ty: GgmlType,
    /// Outermost first.
    pub shape: Vec<u32>,
    pub bytes: Vec<u8>,
}

/// The bytes of a file with the metadata of `metadata` and these tensors. It is read back, and all tensors are compared.
///
/// # Errors
/// As [`parse`] where it can't be read, as with a name that is there twice; `Internal` where a tensor is another than was written.
pub fn write(metadata: GgufWriter, tensors: &[NewTensor]) -> Result<Vec<u8>> {
    let file = tensors.iter().fold(metadata, |w, t| w.tensor_of(&t.name, t.ty, &t.shape, &t.bytes)).finish();
    let Parsed::Done { gguf, .. } = parse(file.clone(), Some(file.len() as u64))? else {
        bail!(Internal, "the file that was written ends inside its header");
    };
    for t in tensors {
        let read = gguf.require(&t.name)?;
        let bytes = file.get(read.file_range.start as usize..read.file_range.end as usize);
        let shape = read.shape.iter().copied().eq(t.shape.iter().map(|&d| u64::from(d)));
        if read.ty != t.ty || bytes != Some(&t.bytes[..]) || !shape {
            bail!(Internal, "tensor '{}' is not in the file as it was written", t.name);
        }
    }
    Ok(file)
}
