//! Writes small TFLite files and zips, well-formed or not. It knows nothing of the crate: unit tests share it.
#![allow(dead_code, reason = "each test uses some of it")]

/// What a field of a table holds.
#[derive(Clone)]
pub enum Value {
    /// A number, in place.
    Inline(Vec<u8>),
    /// A vector: the number of elements that it claims, and their bytes.
    Vector(u32, Vec<u8>),
    Table(Table),
    Tables(Vec<Table>),
}

/// Fields by their place in the schema.
#[derive(Clone, Default)]
pub struct Table(pub Vec<(usize, Value)>);

pub fn i8v(v: i8) -> Value {
    Value::Inline(v.to_le_bytes().into())
}

pub fn u32v(v: u32) -> Value {
    Value::Inline(v.to_le_bytes().into())
}

pub fn i32v(v: i32) -> Value {
    Value::Inline(v.to_le_bytes().into())
}

pub fn u64v(v: u64) -> Value {
    Value::Inline(v.to_le_bytes().into())
}

pub fn text(v: &str) -> Value {
    bytes(v.as_bytes())
}

pub fn bytes(v: &[u8]) -> Value {
    Value::Vector(v.len() as u32, v.into())
}

pub fn i32s(v: &[i32]) -> Value {
    Value::Vector(v.len() as u32, v.iter().flat_map(|n| n.to_le_bytes()).collect())
}

pub fn i64s(v: &[i64]) -> Value {
    Value::Vector(v.len() as u32, v.iter().flat_map(|n| n.to_le_bytes()).collect())
}

pub fn f32s(v: &[f32]) -> Value {
    Value::Vector(v.len() as u32, v.iter().flat_map(|n| n.to_le_bytes()).collect())
}

pub fn table(fields: Vec<(usize, Value)>) -> Table {
    Table(fields)
}

impl Table {
    /// The field set to the value, in place or at the end.
    pub fn set(&mut self, field: usize, value: Value) {
        match self.0.iter_mut().find(|(f, _)| *f == field) {
            Some((_, v)) => *v = value,
            None => self.0.push((field, value)),
        }
    }

    pub fn remove(&mut self, field: usize) {
        self.0.retain(|(f, _)| *f != field);
    }
}

/// A FlatBuffer in the making, and where what in it can be broken.
#[derive(Default)]
pub struct Written {
    pub bytes: Vec<u8>,
    /// Offsets ahead: the root's, those of fields and of tables in vectors.
    pub offsets: Vec<usize>,
    /// Offsets of tables back to their vtables.
    pub backs: Vec<usize>,
    pub vtables: Vec<usize>,
    /// The counts of vectors.
    pub counts: Vec<usize>,
    /// Numbers in tables.
    pub scalars: Vec<usize>,
}

impl Written {
    fn put_u32(&mut self, v: u32) -> usize {
        self.bytes.extend(v.to_le_bytes());
        self.bytes.len() - 4
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// Let the offset at `at` point to the end of what there is.
    fn point(&mut self, at: usize) {
        self.align();
        let ahead = (self.bytes.len() - at) as u32;
        self.bytes[at..at + 4].copy_from_slice(&ahead.to_le_bytes());
        self.offsets.push(at);
    }

    /// The vtable, the table, and what its fields point to; `at` is the offset to the table.
    fn table(&mut self, at: usize, table: &Table) {
        self.align();
        let slots = table.0.iter().map(|(f, _)| f + 1).max().unwrap_or(0);
        let vtable = self.bytes.len();
        self.vtables.push(vtable);
        self.bytes.resize(vtable + 4 + 2 * slots, 0);
        self.put_u16(vtable, 4 + 2 * slots);
        self.point(at);
        let start = self.bytes.len();
        self.backs.push(start);
        self.put_u32((start - vtable) as u32);
        let mut places = Vec::new();
        for (field, value) in &table.0 {
            let offset = self.bytes.len() - start;
            self.put_u16(vtable + 4 + 2 * field, offset);
            places.push(self.bytes.len());
            match value {
                Value::Inline(bytes) => {
                    self.scalars.push(self.bytes.len());
                    self.bytes.extend(bytes);
                }
                _ => {
                    self.put_u32(0);
                }
            }
        }
        self.put_u16(vtable + 2, self.bytes.len() - start);
        for ((_, value), at) in table.0.iter().zip(places) {
            self.target(at, value);
        }
    }

    fn target(&mut self, at: usize, value: &Value) {
        match value {
            Value::Inline(_) => {}
            Value::Vector(n, elements) => {
                self.point(at);
                let count = self.put_u32(*n);
                self.counts.push(count);
                self.bytes.extend(elements);
            }
            Value::Table(table) => self.table(at, table),
            Value::Tables(tables) => {
                self.point(at);
                let count = self.put_u32(tables.len() as u32);
                self.counts.push(count);
                let first = self.bytes.len();
                self.bytes.resize(first + 4 * tables.len(), 0);
                for (i, table) in tables.iter().enumerate() {
                    self.table(first + 4 * i, table);
                }
            }
        }
    }

    fn put_u16(&mut self, at: usize, v: usize) {
        self.bytes[at..at + 2].copy_from_slice(&(v as u16).to_le_bytes());
    }
}

/// A model of one subgraph in the making.
#[derive(Clone)]
pub struct Tiny {
    pub identifier: [u8; 4],
    pub version: u32,
    pub codes: Vec<Table>,
    pub tensors: Vec<Table>,
    pub inputs: Vec<i32>,
    pub outputs: Vec<i32>,
    pub operators: Vec<Table>,
    pub buffers: Vec<Table>,
    pub signatures: Vec<Table>,
    /// Behind the FlatBuffer.
    pub tail: Vec<u8>,
}

/// Numbers of `sound`'s tensors.
pub const IMAGE: usize = 0;
pub const KERNEL: usize = 1;
pub const BIAS: usize = 2;
pub const CONV: usize = 3;
pub const SHAPE: usize = 4;
pub const FLAT: usize = 5;

fn tensor(name: &str, shape: &[i32], ty: i8, buffer: u32) -> Table {
    table(vec![(0, i32s(shape)), (1, i8v(ty)), (2, u32v(buffer)), (3, text(name))])
}

fn data(values: impl Iterator<Item = [u8; 4]>) -> Table {
    table(vec![(0, bytes(&values.flatten().collect::<Vec<u8>>()))])
}

/// A convolution of 3 x 3 of an image of 4 x 4 x 2, and a reshape of its result.
pub fn sound() -> Tiny {
    let conv = table(vec![(0, i8v(1)), (1, i32v(1)), (2, i32v(1)), (3, i8v(3))]);
    let reshape = table(vec![(0, i32s(&[4, 3]))]);
    let map = |name: &str, i: usize| table(vec![(0, text(name)), (1, u32v(i as u32))]);
    Tiny {
        identifier: *b"TFL3",
        version: 3,
        codes: vec![
            table(vec![(0, i8v(3)), (2, i32v(2)), (3, i32v(3))]),
            // As writers before 2020 have it.
            table(vec![(0, i8v(22))]),
        ],
        tensors: vec![
            tensor("image", &[1, 4, 4, 2], 0, 0),
            tensor("kernel", &[3, 3, 3, 2], 0, 1),
            tensor("bias", &[3], 0, 2),
            tensor("conv", &[1, 2, 2, 3], 0, 0),
            tensor("shape", &[2], 2, 3),
            tensor("flat", &[4, 3], 0, 0),
        ],
        inputs: vec![IMAGE as i32],
        outputs: vec![FLAT as i32],
        operators: vec![
            table(vec![(0, u32v(0)), (1, i32s(&[0, 1, 2])), (2, i32s(&[3])), (3, i8v(1)), (4, Value::Table(conv))]),
            table(vec![(0, u32v(1)), (1, i32s(&[3, 4])), (2, i32s(&[5])), (3, i8v(17)), (4, Value::Table(reshape))]),
        ],
        buffers: vec![
            Table::default(),
            data((0..54).map(|i| (i as f32 / 8.0).to_le_bytes())),
            data((0..3).map(|i| (i as f32).to_le_bytes())),
            data([4i32, 3].into_iter().map(i32::to_le_bytes)),
        ],
        signatures: vec![table(vec![
            (0, Value::Tables(vec![map("pixels", IMAGE)])),
            (1, Value::Tables(vec![map("values", FLAT)])),
            (2, text("serving_default")),
            (4, u32v(0)),
        ])],
        tail: Vec::new(),
    }
}

impl Tiny {
    pub fn edit(mut self, change: impl FnOnce(&mut Tiny)) -> Tiny {
        change(&mut self);
        self
    }

    pub fn subgraph(&self) -> Table {
        table(vec![
            (0, Value::Tables(self.tensors.clone())),
            (1, i32s(&self.inputs)),
            (2, i32s(&self.outputs)),
            (3, Value::Tables(self.operators.clone())),
            (4, text("main")),
        ])
    }

    pub fn root(&self) -> Table {
        table(vec![
            (0, u32v(self.version)),
            (1, Value::Tables(self.codes.clone())),
            (2, Value::Tables(vec![self.subgraph()])),
            (3, text("tiny")),
            (4, Value::Tables(self.buffers.clone())),
            (7, Value::Tables(self.signatures.clone())),
        ])
    }

    pub fn written(&self) -> Written {
        let mut written = write(&self.identifier, &self.root());
        written.bytes.extend(&self.tail);
        written
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.written().bytes
    }
}

/// A file of a root table.
pub fn write(identifier: &[u8; 4], root: &Table) -> Written {
    let mut written = Written::default();
    written.put_u32(0);
    written.bytes.extend(identifier);
    written.table(0, root);
    written.align();
    written
}

/// A zip in the making. What is not set apart is true of the rest.
#[derive(Clone)]
pub struct Zip {
    /// Zeros before the first file.
    pub padding: usize,
    pub files: Vec<Packed>,
    pub n_files: u16,
    pub directory_start: Option<u32>,
    pub comment: Vec<u8>,
    pub comment_bytes: u16,
}

/// A file of a zip.
#[derive(Clone)]
pub struct Packed {
    pub name: String,
    pub local_name: String,
    pub data: Vec<u8>,
    pub crc: u32,
    pub flags: u16,
    pub method: u16,
    pub stored_bytes: u32,
    pub bytes: u32,
    /// Where the directory says that it is.
    pub start: Option<u32>,
    /// Extra fields in the file's own header and in the directory.
    pub extra: [Vec<u8>; 2],
}

pub fn zip(files: &[(&str, Vec<u8>)]) -> Zip {
    let packed = |(name, data): &(&str, Vec<u8>)| Packed {
        name: (*name).into(),
        local_name: (*name).into(),
        crc: crc32(data),
        flags: 0,
        method: 0,
        stored_bytes: data.len() as u32,
        bytes: data.len() as u32,
        data: data.clone(),
        start: None,
        extra: Default::default(),
    };
    let files: Vec<Packed> = files.iter().map(packed).collect();
    let n_files = files.len() as u16;
    Zip { padding: 0, files, n_files, directory_start: None, comment: Vec::new(), comment_bytes: 0 }
}

impl Zip {
    pub fn edit(mut self, change: impl FnOnce(&mut Zip)) -> Zip {
        change(&mut self);
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = vec![0; self.padding];
        let mut directory = Vec::new();
        for f in &self.files {
            let start = out.len() as u32;
            let sizes = |name: &str, extra: &[u8]| {
                let numbers = [f.crc.to_le_bytes(), f.stored_bytes.to_le_bytes(), f.bytes.to_le_bytes()].concat();
                [numbers, (name.len() as u16).to_le_bytes().into(), (extra.len() as u16).to_le_bytes().into()].concat()
            };
            // Version, flags, method, time and date.
            let kind = [&20u16.to_le_bytes()[..], &f.flags.to_le_bytes(), &f.method.to_le_bytes(), &[0; 4]].concat();
            out.extend(
                [b"PK\x03\x04", &kind[..], &sizes(&f.local_name, &f.extra[0]), f.local_name.as_bytes()].concat(),
            );
            out.extend(&f.extra[0]);
            out.extend(&f.data);
            directory.extend([b"PK\x01\x02", &20u16.to_le_bytes()[..], &kind, &sizes(&f.name, &f.extra[1])].concat());
            directory.extend([0; 2 + 2 + 2 + 4]);
            directory.extend(f.start.unwrap_or(start).to_le_bytes());
            directory.extend(f.name.as_bytes());
            directory.extend(&f.extra[1]);
        }
        let start = self.directory_start.unwrap_or(out.len() as u32);
        let bytes = directory.len() as u32;
        out.extend(directory);
        out.extend([&b"PK\x05\x06"[..], &[0; 4], &self.n_files.to_le_bytes(), &self.n_files.to_le_bytes()].concat());
        out.extend([bytes.to_le_bytes(), start.to_le_bytes()].concat());
        out.extend(self.comment_bytes.to_le_bytes());
        out.extend(&self.comment);
        out
    }
}

/// The checksum of zip files, a bit at a time.
pub fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| if crc & 1 == 0 { crc >> 1 } else { (crc >> 1) ^ 0xedb8_8320 };
    !bytes.iter().fold(!0, |crc, &b| (0..8).fold(crc ^ u32::from(b), bit))
}

impl From<Tiny> for Vec<u8> {
    fn from(tiny: Tiny) -> Self {
        tiny.bytes()
    }
}
