//! What tests compare, and how. Nothing here knows the crate: its unit tests share it, too.

use std::path::Path;

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Leave a result for `scripts/coverage-table.mjs`: what was tested how, and the error. A later run writes over it.
pub fn record(kind: &str, key: &str, result: serde_json::Value) {
    let dir = repository().join("target/coverage").join(kind);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join(format!("{key}.json")), format!("{result}\n")).unwrap();
}

/// A NumPy array of f32 in C order.
pub struct Npy {
    pub data: Vec<f32>,
}

impl Npy {
    pub fn read(path: &Path) -> Self {
        Self::parse(&std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
    }

    pub fn parse(bytes: &[u8]) -> Self {
        assert_eq!(&bytes[..6], b"\x93NUMPY");
        let header_bytes = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
        let header = std::str::from_utf8(&bytes[10..10 + header_bytes]).unwrap();
        assert!(header.contains("'<f4'") && header.contains("'fortran_order': False"), "{header}");
        let data = bytes[10 + header_bytes..].chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        Npy { data: data.collect() }
    }
}

/// A generator for test data: small, seeded, the same everywhere (SplitMix64).
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in -1 to 1.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    pub fn vec(&mut self, n: usize, scale: f32) -> Vec<f32> {
        (0..n).map(|_| self.unit() * scale).collect()
    }

    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }
}

/// Fails beyond the tolerance; returns the relative L2 error.
pub fn assert_close(got: &[f32], want: &[f64], tolerance: f64, what: &str) -> f64 {
    assert_eq!(got.len(), want.len(), "{what}");
    let err: f64 = got.iter().zip(want).map(|(&g, &w)| (f64::from(g) - w).powi(2)).sum();
    let norm: f64 = want.iter().map(|w| w * w).sum();
    let rel = (err / norm.max(1e-30)).sqrt();
    assert!(rel <= tolerance, "{what}: relative L2 {rel:.2e}, {tolerance:.0e} is allowed");
    rel
}
