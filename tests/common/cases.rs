//! Malformed files of a format, by class, and what each must end in.

use std::collections::BTreeMap;
use std::sync::Mutex;

use webgguf::error::Result;

use crate::counting::peak_bytes;

/// Host memory that a malformed file may take.
pub const MAX_PEAK_BYTES: usize = 64 << 20;

/// One test at a time: they share the counters.
pub static TURN: Mutex<()> = Mutex::new(());

pub const TENSOR_TYPE: &str = "UNSUPPORTED_TENSOR_TYPE";
pub const ARCHITECTURE: &str = "UNSUPPORTED_ARCHITECTURE";

struct Case {
    class: &'static str,
    name: String,
    bytes: Vec<u8>,
    codes: Vec<&'static str>,
    /// What the message says, of the object and what was found.
    says: String,
    may_be_read: bool,
}

pub struct Cases {
    /// The code of what is malformed in this format.
    malformed: &'static str,
    list: Vec<Case>,
}

impl Cases {
    pub fn of(malformed: &'static str) -> Self {
        Cases { malformed, list: Vec::new() }
    }

    pub fn add(&mut self, class: &'static str, bytes: Vec<u8>, codes: &[&'static str], says: impl Into<String>) {
        let (says, name, codes) = (says.into(), String::new(), codes.to_vec());
        self.list.push(Case { class, name, bytes, codes, says, may_be_read: false });
    }

    pub fn malformed(&mut self, class: &'static str, file: impl Into<Vec<u8>>, says: impl Into<String>) {
        self.add(class, file.into(), &[self.malformed], says);
    }

    /// What is read after such a change may be sound.
    pub fn any(&mut self, class: &'static str, name: String, bytes: Vec<u8>) {
        let codes = vec![self.malformed, TENSOR_TYPE, ARCHITECTURE];
        self.list.push(Case { class, name, bytes, codes, says: String::new(), may_be_read: true });
    }

    /// Each file that is opened ends in one of its codes, or is read where it may be; returns how many errors there were.
    pub fn check(self, open: impl Fn(&[u8]) -> Result<()>) -> usize {
        let mut classes: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
        let mut wrong = Vec::new();
        let (mut highest, n) = (0, self.list.len());
        for Case { class, name, bytes, codes, says, may_be_read } in self.list {
            let (result, peak) = peak_bytes(|| open(&bytes));
            let counts = classes.entry(class).or_default();
            match result {
                Ok(()) if may_be_read => counts[1] += 1,
                Ok(()) => wrong.push(format!("{class}, {name} '{says}': no error")),
                Err(e) if !codes.contains(&e.code()) => {
                    wrong.push(format!("{class}, {name} '{says}': {}: {e}; {codes:?} are right", e.code()));
                }
                Err(e) if !e.to_string().contains(&says) || e.to_string().len() > 10_000 => {
                    wrong.push(format!("{class}, {name}: '{e}' does not say '{says}'"));
                }
                Err(_) => counts[0] += 1,
            }
            highest = highest.max(peak);
            if peak > MAX_PEAK_BYTES {
                wrong.push(format!("{class}, {name} '{says}': {peak} bytes of memory"));
            }
        }
        assert!(wrong.is_empty(), "{} of {n} are wrong:\n{}", wrong.len(), wrong.join("\n"));
        let errors = classes.values().map(|c| c[0]).sum();
        println!("{n} files, {errors} errors; errors and sound ones: {classes:?}; at most {highest} bytes of memory");
        errors
    }
}
