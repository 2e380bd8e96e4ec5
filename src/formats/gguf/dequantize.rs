//! Dequantisation on the CPU: the reference for kernels, and for tensors the host reads.
//!
//! Block layouts are those of ggml-common.h. Results are gguf-py's bit for bit.

use half::{bf16, f16};

use super::GgmlType;

fn f16_at(b: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([b[at], b[at + 1]]).to_f32()
}

/// The values of a whole number of blocks, or `None` for a type without a rule here.
#[must_use]
pub fn dequantize(ty: GgmlType, bytes: &[u8]) -> Option<Vec<f32>> {
    let block: fn(&[u8], &mut Vec<f32>) = match ty {
        GgmlType::F32 => |b, out| out.push(f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
        GgmlType::F16 => |b, out| out.push(f16_at(b, 0)),
        GgmlType::BF16 => |b, out| out.push(bf16::from_le_bytes([b[0], b[1]]).to_f32()),
        GgmlType::Q8_0 => |b, out| out.extend(b[2..].iter().map(|&q| f16_at(b, 0) * f32::from(q as i8))),
        GgmlType::Q4_0 => |b, out| out.extend(nibbles(&b[2..]).map(|q| f16_at(b, 0) * (f32::from(q) - 8.0))),
        GgmlType::Q4_1 => |b, out| out.extend(nibbles(&b[4..]).map(|q| f16_at(b, 0) * f32::from(q) + f16_at(b, 2))),
        GgmlType::Q5_0 => |b, out| out.extend(fives(&b[2..6], &b[6..]).map(|q| f16_at(b, 0) * (f32::from(q) - 16.0))),
        GgmlType::Q5_1 => {
            |b, out| out.extend(fives(&b[4..8], &b[8..]).map(|q| f16_at(b, 0) * f32::from(q) + f16_at(b, 2)))
        }
        GgmlType::Q2_K => q2_k,
        GgmlType::Q3_K => q3_k,
        GgmlType::Q4_K => q4_k,
        GgmlType::Q5_K => q5_k,
        GgmlType::Q6_K => q6_k,
        GgmlType::IQ4_NL => |b, out| out.extend(nibbles(&b[2..]).map(|q| f16_at(b, 0) * iq4_value(q))),
        GgmlType::IQ4_XS => iq4_xs,
        GgmlType::MXFP4 => mxfp4,
        _ => return None,
    };
    let block_bytes = ty.block_bytes() as usize;
    let mut out = Vec::with_capacity(bytes.len() / block_bytes * ty.block_elems() as usize);
    bytes.chunks_exact(block_bytes).for_each(|b| block(b, &mut out));
    Some(out)
}

/// All low nibbles, then all high ones.
fn nibbles(qs: &[u8]) -> impl Iterator<Item = u8> + '_ {
    qs.iter().map(|q| q & 15).chain(qs.iter().map(|q| q >> 4))
}

/// Nibbles with a fifth bit each.
fn fives<'a>(qh: &'a [u8], qs: &'a [u8]) -> impl Iterator<Item = u8> + 'a {
    nibbles(qs).enumerate().map(|(i, q)| q | ((qh[i / 8] >> (i % 8)) & 1) << 4)
}

/// Element `e`'s 2 bits: of every 128 elements each 32 share a bit position of 32 bytes.
fn two_bits(qs: &[u8], e: usize) -> u8 {
    (qs[e / 128 * 32 + e % 32] >> (e % 128 / 32 * 2)) & 3
}

fn q2_k(b: &[u8], out: &mut Vec<f32>) {
    let (d, dmin) = (f16_at(b, 80), f16_at(b, 82));
    for e in 0..256 {
        let s = b[e / 16];
        out.push(d * f32::from(s & 15) * f32::from(two_bits(&b[16..80], e)) - dmin * f32::from(s >> 4));
    }
}

fn q3_k(b: &[u8], out: &mut Vec<f32>) {
    let d = f16_at(b, 108);
    for e in 0..256 {
        let g = e / 16;
        let scale = (b[96 + g % 8] >> (g / 8 * 4)) & 15 | ((b[104 + g % 4] >> (g / 4 * 2)) & 3) << 4;
        let high = (b[e % 32] >> (e / 32)) & 1;
        let q = f32::from(two_bits(&b[32..96], e)) - if high == 0 { 4.0 } else { 0.0 };
        out.push(d * (f32::from(scale) - 32.0) * q);
    }
}

/// Scale and minimum `i` of 8 in the 12 bytes of Q4_K and Q5_K.
fn scale_min(s: &[u8], i: usize) -> (f32, f32) {
    let (scale, min) = if i < 4 {
        (s[i] & 63, s[i + 4] & 63)
    } else {
        (s[i + 4] & 15 | (s[i - 4] >> 6) << 4, s[i + 4] >> 4 | (s[i] >> 6) << 4)
    };
    (f32::from(scale), f32::from(min))
}

/// Element `e`'s nibble: of every 64 elements the first 32 are low, the others high.
fn nibble_of_64(qs: &[u8], e: usize) -> u8 {
    (qs[e / 64 * 32 + e % 32] >> (e % 64 / 32 * 4)) & 15
}

fn q4_k(b: &[u8], out: &mut Vec<f32>) {
    let (d, dmin) = (f16_at(b, 0), f16_at(b, 2));
    for e in 0..256 {
        let (scale, min) = scale_min(&b[4..16], e / 32);
        out.push(d * scale * f32::from(nibble_of_64(&b[16..], e)) - dmin * min);
    }
}

fn q5_k(b: &[u8], out: &mut Vec<f32>) {
    let (d, dmin) = (f16_at(b, 0), f16_at(b, 2));
    for e in 0..256 {
        let (scale, min) = scale_min(&b[4..16], e / 32);
        let q = nibble_of_64(&b[48..], e) | ((b[16 + e % 32] >> (e / 32)) & 1) << 4;
        out.push(d * scale * f32::from(q) - dmin * min);
    }
}

fn q6_k(b: &[u8], out: &mut Vec<f32>) {
    let d = f16_at(b, 208);
    for e in 0..256 {
        let (n, q, l) = (e / 128, e % 128 / 32, e % 32);
        let low = (b[n * 64 + q % 2 * 32 + l] >> (q / 2 * 4)) & 15;
        let high = (b[128 + n * 32 + l] >> (2 * q)) & 3;
        out.push(d * f32::from(b[192 + e / 16] as i8) * (f32::from(low | high << 4) - 32.0));
    }
}

/// The values that 4-bit codes of IQ4_NL and IQ4_XS stand for.
fn iq4_value(code: u8) -> f32 {
    const VALUES: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
    f32::from(VALUES[code as usize])
}

fn iq4_xs(b: &[u8], out: &mut Vec<f32>) {
    let d = f16_at(b, 0);
    let high = u16::from_le_bytes([b[2], b[3]]);
    for block in 0..8 {
        let low = (b[4 + block / 2] >> (block % 2 * 4)) & 15;
        let scale = f32::from(u16::from(low) | (high >> (2 * block) & 3) << 4) - 32.0;
        out.extend(nibbles(&b[8 + block * 16..24 + block * 16]).map(|q| d * scale * iq4_value(q)));
    }
}

fn mxfp4(b: &[u8], out: &mut Vec<f32>) {
    // Twice the E2M1 values, and 2^(e - 128): half of E8M0.
    const VALUES: [f32; 16] = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 0.0, -1.0, -2.0, -3.0, -4.0, -6.0, -8.0, -12.0];
    let e = u32::from(b[0]);
    let d = f32::from_bits(if e < 2 { 0x0020_0000 << e } else { (e - 1) << 23 });
    out.extend(nibbles(&b[1..]).map(|q| d * VALUES[q as usize]));
}
