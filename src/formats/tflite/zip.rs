//! Zip files of stored files, by PKWARE's APPNOTE 6.3, without zip64: a directory at the end says where they are.

use std::ops::Range;

use crate::error::{Result, bail};

/// Of a file's name.
const MAX_NAME_BYTES: usize = 1024;
/// What begins the header of a file.
pub(super) const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END64: &[u8] = b"PK\x06\x07";
/// Bytes of the three records, without names, extra fields and comments.
const LOCAL_BYTES: usize = 30;
const CENTRAL_BYTES: usize = 46;
const END_BYTES: usize = 22;
const END64_BYTES: usize = 20;
const MAX_COMMENT_BYTES: usize = 65_535;

/// A file in the zip.
pub(super) struct Entry {
    pub name: String,
    /// Where its header begins.
    header: usize,
    pub data: Range<usize>,
    crc: u32,
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    u16::from_le_bytes([bytes[at], bytes[at + 1]]).into()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Where the record at the end of the zip lies: a comment follows it, whose length it has.
fn end_record(zip: &[u8]) -> Result<usize> {
    let last = zip.len().checked_sub(END_BYTES);
    let first = last.map_or(0, |last| last.saturating_sub(MAX_COMMENT_BYTES));
    let is_end = |&at: &usize| zip[at..].starts_with(END) && at + END_BYTES + u16_at(zip, at + 20) == zip.len();
    match last.and_then(|last| (first..=last).rev().find(is_end)) {
        Some(at) => Ok(at),
        None => bail!(MalformedTflite, "the zip has no directory in its last {MAX_COMMENT_BYTES} bytes (truncated?)"),
    }
}

/// The files in a zip, in its directory's order, each with its checksum compared.
pub(super) fn entries(zip: &[u8]) -> Result<Vec<Entry>> {
    let end = end_record(zip)?;
    let (n, bytes, start) = (u16_at(zip, end + 10), u32_at(zip, end + 12), u32_at(zip, end + 16));
    let zip64 = end.checked_sub(END64_BYTES).is_some_and(|at| zip[at..].starts_with(END64));
    if zip64 || n == 0xffff || bytes == u32::MAX || start == u32::MAX {
        bail!(UnsupportedArchitecture, "the bundle is a zip64 file, bundles of less than 4 GB are supported");
    }
    let n_here = u16_at(zip, end + 8);
    if u16_at(zip, end + 4) != 0 || u16_at(zip, end + 6) != 0 || n_here != n {
        bail!(MalformedTflite, "the zip is a part of several, {n_here} of {n} files are here; one whole zip is needed");
    }
    let (start, stop) = (start as usize, start as u64 + u64::from(bytes));
    if stop > end as u64 {
        bail!(MalformedTflite, "the zip's directory ends at byte {stop}, {end} at most is allowed");
    }
    let directory = &zip[start..stop as usize];
    let mut entries = Vec::new();
    let mut at = 0;
    for i in 0..n {
        let (entry, next) = entry(zip, directory, at, i, start)?;
        // What ends with a slash is a folder.
        entries.extend(Some(entry).filter(|e| !e.name.ends_with('/')));
        at = next;
    }
    check_apart(&entries)?;
    for entry in &entries {
        let crc = crc32(&zip[entry.data.clone()]);
        if crc != entry.crc {
            bail!(MalformedTflite, "'{}' has the checksum {crc:08x}, its zip says {:08x}", entry.name, entry.crc);
        }
    }
    Ok(entries)
}

/// The `i`-th file, whose record is at `at` of the directory, and where the next record is. Its data lies before `limit`.
fn entry(zip: &[u8], directory: &[u8], at: usize, i: usize, limit: usize) -> Result<(Entry, usize)> {
    let record = directory.get(at..).filter(|r| r.len() >= CENTRAL_BYTES && r.starts_with(CENTRAL));
    let Some(record) = record else {
        bail!(MalformedTflite, "file {i} of the zip has no record at byte {at} of its directory");
    };
    let name_end = CENTRAL_BYTES + u16_at(record, 28);
    let record_end = name_end + u16_at(record, 30) + u16_at(record, 32);
    let Some(name) = record.get(CENTRAL_BYTES..name_end).filter(|_| record_end <= record.len()) else {
        bail!(
            MalformedTflite,
            "file {i} of the zip has a record of {record_end} bytes, its directory has {} left",
            record.len()
        );
    };
    if name.len() > MAX_NAME_BYTES {
        bail!(MalformedTflite, "file {i} of the zip has a name of {} bytes, {MAX_NAME_BYTES} are allowed", name.len());
    }
    let text = String::from_utf8_lossy(name).into_owned();
    let (flags, method) = (u16_at(record, 8), u16_at(record, 10));
    if flags & 1 != 0 {
        bail!(UnsupportedArchitecture, "'{text}' of the bundle is encrypted, files as they are are supported");
    }
    if method != 0 {
        bail!(
            UnsupportedArchitecture,
            "'{text}' of the bundle is compressed by method {method}, 0 (stored) is supported"
        );
    }
    let (packed, size, header) = (u32_at(record, 20), u32_at(record, 24), u32_at(record, 42));
    if [packed, size, header].contains(&u32::MAX) {
        bail!(UnsupportedArchitecture, "'{text}' is in a zip64 file, bundles of less than 4 GB are supported");
    }
    if packed != size {
        bail!(MalformedTflite, "'{text}' of the zip has {size} bytes, stored as {packed}");
    }
    let header = header as usize;
    let Some(local) = zip.get(header..).filter(|h| h.len() >= LOCAL_BYTES && h.starts_with(LOCAL)) else {
        bail!(MalformedTflite, "'{text}' of the zip has no header at byte {header}");
    };
    let named = LOCAL_BYTES + u16_at(local, 26);
    if local.get(LOCAL_BYTES..named) != Some(name) {
        bail!(MalformedTflite, "'{text}' of the zip has another name at byte {header}");
    }
    let start = header as u64 + (named + u16_at(local, 28)) as u64;
    let end = start + u64::from(size);
    if end > limit as u64 {
        bail!(MalformedTflite, "'{text}' of the zip ends at byte {end}, its directory begins at {limit}");
    }
    let data = start as usize..end as usize;
    Ok((Entry { name: text, header, data, crc: u32_at(record, 16) }, at + record_end))
}

/// No byte is in two files: a small zip can't be a large one.
fn check_apart(entries: &[Entry]) -> Result<()> {
    let mut order: Vec<&Entry> = entries.iter().collect();
    order.sort_by_key(|e| e.header);
    for pair in order.windows(2) {
        if pair[0].data.end > pair[1].header {
            bail!(MalformedTflite, "'{}' and '{}' overlap in the zip", pair[0].name, pair[1].name);
        }
    }
    Ok(())
}

/// The checksum of zip files: CRC-32 of ISO-HDLC, bits reversed.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut i = 0;
        while i < 256 {
            let mut crc = i as u32;
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xedb8_8320 };
                bit += 1;
            }
            table[i] = crc;
            i += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |crc, &b| crc >> 8 ^ TABLE[usize::from(crc as u8 ^ b)])
}
