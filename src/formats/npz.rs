//! NumPy's archives of arrays, `.npz`: a ZIP file (APPNOTE.TXT 6.3) of `.npy` files (NEP 1), which are little-endian floats here. Archives
//! that `numpy.savez` writes are not compressed.

use std::ops::Range;

use crate::error::{Result, bail};

/// An array of F32.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NpyArray {
    pub name: String,
    /// Outermost first.
    pub shape: Vec<u64>,
    /// Where the elements lie in the archive, in C order.
    pub range: Range<usize>,
}

const END_BYTES: usize = 22;
/// A comment at the end of the file takes no more.
const MAX_COMMENT: usize = u16::MAX as usize;
const ENTRY_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;
const STORED: u16 = 0;
/// Axes of an array, at most.
const MAX_AXES: usize = 8;

/// Whether a file is such an archive.
#[must_use]
pub fn is_npz(file: &[u8]) -> bool {
    file.starts_with(b"PK\x03\x04")
}

fn bytes<const N: usize>(file: &[u8], at: usize) -> Result<[u8; N]> {
    match file.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(found) => Ok(*found),
        None => bail!(InvalidArgument, "the archive ends inside an entry (truncated?)"),
    }
}

fn u16_at(file: &[u8], at: usize) -> Result<u16> {
    Ok(u16::from_le_bytes(bytes(file, at)?))
}

fn u32_at(file: &[u8], at: usize) -> Result<usize> {
    Ok(u32::from_le_bytes(bytes(file, at)?) as usize)
}

/// The arrays of an archive, in its order.
///
/// # Errors
/// `InvalidArgument` where the file is no such archive, or an array is compressed or not of F32.
pub fn arrays(file: &[u8]) -> Result<Vec<NpyArray>> {
    let earliest = file.len().saturating_sub(END_BYTES + MAX_COMMENT);
    let end =
        (earliest..file.len().saturating_sub(END_BYTES - 1)).rev().find(|&at| file[at..].starts_with(b"PK\x05\x06"));
    let Some(end) = end else { bail!(InvalidArgument, "the file is no archive of arrays (.npz), or it is truncated") };
    let n = u16_at(file, end + 10)?;
    let mut at = u32_at(file, end + 16)?;
    let mut arrays = Vec::new();
    for _ in 0..n {
        if &bytes::<4>(file, at)? != b"PK\x01\x02" {
            bail!(InvalidArgument, "the archive has no entry at byte {at}");
        }
        let (method, size) = (u16_at(file, at + 10)?, u32_at(file, at + 24)?);
        let lengths = [u16_at(file, at + 28)?, u16_at(file, at + 30)?, u16_at(file, at + 32)?].map(usize::from);
        let local = u32_at(file, at + 42)?;
        let Some(name) = file.get(at + ENTRY_BYTES..at + ENTRY_BYTES + lengths[0]) else {
            bail!(InvalidArgument, "the archive ends inside a name (truncated?)");
        };
        let name = String::from_utf8_lossy(name).trim_end_matches(".npy").to_owned();
        if method != STORED {
            bail!(InvalidArgument, "array '{name}' is compressed; archives that numpy.savez writes are supported");
        }
        let start =
            local + LOCAL_BYTES + usize::from(u16_at(file, local + 26)?) + usize::from(u16_at(file, local + 28)?);
        let Some(npy) = file.get(start..start.saturating_add(size)) else {
            bail!(InvalidArgument, "the archive ends inside array '{name}' (truncated?)");
        };
        arrays.push(array(name, npy, start)?);
        at += ENTRY_BYTES + lengths.iter().sum::<usize>();
    }
    Ok(arrays)
}

/// The array of a `.npy` file that starts at byte `start` of the archive.
fn array(name: String, npy: &[u8], start: usize) -> Result<NpyArray> {
    let (header_at, header_bytes): (usize, usize) = match bytes::<8>(npy, 0)? {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _] => (10, usize::from(u16_at(npy, 8)?)),
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _] => (12, u32_at(npy, 8)?),
        _ => bail!(InvalidArgument, "'{name}' of the archive is no array (.npy)"),
    };
    let header = npy.get(header_at..header_at.saturating_add(header_bytes)).unwrap_or_default();
    let header = String::from_utf8_lossy(header);
    if !header.contains("'descr': '<f4'") || !header.contains("'fortran_order': False") {
        bail!(InvalidArgument, "array '{name}' is {}; little-endian F32 in C order is supported", header.trim());
    }
    let shape = header.split_once("'shape': (").and_then(|(_, rest)| rest.split_once(')')).map(|(axes, _)| axes);
    let axes = shape.unwrap_or_default().split(',').map(str::trim).filter(|axis| !axis.is_empty());
    let shape: Option<Vec<u64>> = axes.take(MAX_AXES).map(|axis| axis.parse().ok()).collect();
    let n = shape.as_ref().and_then(|shape| shape.iter().try_fold(4_u64, |n, &axis| n.checked_mul(axis)));
    let data = header_at + header_bytes..npy.len();
    match (shape, n) {
        (Some(shape), Some(n)) if n == data.len() as u64 => {
            Ok(NpyArray { name, shape, range: start + data.start..start + data.end })
        }
        _ => {
            bail!(InvalidArgument, "array '{name}' has {} bytes, which are not those of {}", data.len(), header.trim())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive as `numpy.savez` writes it.
    fn archive(arrays: &[(&str, &str, &[f32])], method: u16) -> Vec<u8> {
        let (mut file, mut central) = (Vec::new(), Vec::new());
        for (name, shape, values) in arrays {
            let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
            header += &" ".repeat(63 - (10 + header.len()) % 64);
            header.push('\n');
            let mut npy = b"\x93NUMPY\x01\x00".to_vec();
            npy.extend((header.len() as u16).to_le_bytes());
            npy.extend(header.as_bytes());
            npy.extend(values.iter().flat_map(|v| v.to_le_bytes()));
            let name = format!("{name}.npy");
            let (size, local) = ((npy.len() as u32).to_le_bytes(), (file.len() as u32).to_le_bytes());
            let sizes = [[0; 4], size, size].concat();
            let [method, length] = [method, name.len() as u16].map(u16::to_le_bytes);
            file.extend([b"PK\x03\x04".as_slice(), &[0; 4], &method, &[0; 4], &sizes, &length, &[4, 0]].concat());
            file.extend(name.as_bytes());
            file.extend([1, 0, 0, 0]); // an extra field
            file.extend(npy);
            let entry = [b"PK\x01\x02".as_slice(), &[0; 6], &method, &[0; 4], &sizes, &length, &[0; 12], &local];
            central.extend(entry.concat());
            central.extend(name.as_bytes());
        }
        let at = file.len() as u32;
        let n = (arrays.len() as u16).to_le_bytes();
        file.extend(&central);
        let end = [
            b"PK\x05\x06".as_slice(),
            &[0; 4],
            &n,
            &n,
            &(central.len() as u32).to_le_bytes(),
            &at.to_le_bytes(),
            &[0; 2],
        ];
        file.extend(end.concat());
        file
    }

    #[test]
    fn arrays_are_found() {
        let file = archive(&[("af", "(2, 1, 3)", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), ("bm", "(1,)", &[7.0])], STORED);
        assert!(is_npz(&file));
        let found = arrays(&file).unwrap();
        assert_eq!(
            found.iter().map(|a| (a.name.as_str(), &a.shape[..])).collect::<Vec<_>>(),
            [("af", &[2, 1, 3][..]), ("bm", &[1])]
        );
        assert_eq!(&file[found[1].range.clone()], 7f32.to_le_bytes());
    }

    #[test]
    fn other_files_are_refused() {
        let refused = |file: &[u8], says: &str| {
            let error = arrays(file).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        };
        refused(b"", "no archive");
        refused(&archive(&[("af", "(2,)", &[1.0])], STORED), "4 bytes, which are not those of");
        refused(&archive(&[("af", "(1,)", &[1.0])], 8), "'af' is compressed");
        let file = archive(&[("af", "(18446744073709551615, 5)", &[1.0])], STORED);
        refused(&file, "not those of");
        // Whatever is cut off or changed, it is an error or an archive.
        for at in 0..file.len() {
            let _ = arrays(&file[..at]);
            let mut changed = file.clone();
            changed[at] ^= 0xff;
            let _ = arrays(&changed);
        }
    }
}
