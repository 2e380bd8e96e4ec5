//! Malformed TFLite files and bundles, made by class: each ends in an error with its code, or is read where what was
//! changed says nothing wrong; never in a panic, and it takes little memory on the way, whatever it claims.

#[path = "common/cases.rs"]
mod cases;
mod common;
#[path = "common/counting.rs"]
mod counting;
#[path = "common/tflite_writer.rs"]
mod writer;

use std::time::{Duration, Instant};

use cases::{ARCHITECTURE, Cases, MAX_PEAK_BYTES, TENSOR_TYPE, TURN};
use common::{Rng, shared};
use counting::peak_bytes;
use webgguf::error::Result;
use webgguf::formats::tflite::{Inspection, Model, models};
use writer::*;

const MALFORMED: &str = "MALFORMED_TFLITE";

/// All that is done with a file.
fn open(bytes: &[u8]) -> Result<()> {
    for named in &models(bytes)? {
        let report = Inspection::new(named);
        assert!(report.activations.bytes < u64::MAX / 2);
        for t in named.model.subgraphs.iter().flat_map(|s| &s.tensors) {
            let inside = t.file_range.as_ref().is_none_or(|r| r.start < r.end && r.end <= bytes.len() as u64);
            assert!(inside, "{:?} of {}", t.file_range, bytes.len());
        }
    }
    Ok(())
}

fn put(bytes: &[u8], at: usize, v: u32) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + 4].copy_from_slice(&v.to_le_bytes());
    bytes
}

fn identifiers(cases: &mut Cases) {
    for identifier in [b"TFL2", b"tfl3", b"TFL\0", b"\0\0\0\0", b"3LFT", b"GGUF"] {
        let says = format!("the file has {:?} at byte 4", String::from_utf8_lossy(identifier));
        cases.malformed("identifiers", sound().edit(|t| t.identifier = *identifier), says);
    }
    for version in [0, 1, 2, 4, u32::MAX] {
        cases.malformed(
            "identifiers",
            sound().edit(|t| t.version = version),
            format!("version {version} of the schema"),
        );
    }
    for n in 0..8 {
        cases.add("identifiers", vec![b'x'; n], &[MALFORMED], format!("the file has {n} bytes"));
    }
}

fn truncated(cases: &mut Cases) {
    let bytes = sound().bytes();
    // The last three bytes may be padding.
    for cut in 8..bytes.len() - 3 {
        cases.add("truncated", bytes[..cut].to_vec(), &[MALFORMED], format!("at {cut} (truncated?)"));
    }
}

fn offsets(cases: &mut Cases) {
    let Written { bytes, offsets, backs, vtables, counts, scalars } = sound().written();
    let len = bytes.len() as u32;
    for &at in &offsets {
        for v in [len, 1 << 24, i32::MAX as u32, 1 << 31, u32::MAX - 3, u32::MAX] {
            cases.add("offsets beyond the end", put(&bytes, at, v), &[MALFORMED], "the file");
        }
        // To itself, to its neighbours, past its target.
        for v in [0, 1, 2, 4, 8, u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) + 4] {
            cases.any("offsets to elsewhere", format!("{v} at {at}"), put(&bytes, at, v));
        }
    }
    for &at in &backs {
        for v in [at as u32 + 1, i32::MAX as u32] {
            cases.add("vtables", put(&bytes, at, v), &[MALFORMED], "the vtable of ");
        }
        for v in [-(len as i32), i32::MIN, i32::MIN + 1] {
            cases.add("vtables", put(&bytes, at, v as u32), &[MALFORMED], "the vtable of ");
        }
        // A table that is its own vtable, and other tables' vtables.
        for v in [0, 4, -4i32 as u32] {
            cases.any("vtables elsewhere", format!("{v} at {at}"), put(&bytes, at, v));
        }
        for &vtable in &vtables {
            cases.any(
                "vtables elsewhere",
                format!("{vtable} at {at}"),
                put(&bytes, at, (at as u32).wrapping_sub(vtable as u32)),
            );
        }
    }
    for &at in &vtables {
        let with = |place: usize, v: u16| {
            let mut bytes = bytes.clone();
            bytes[at + place..at + place + 2].copy_from_slice(&v.to_le_bytes());
            bytes
        };
        for v in [0, 1, 2, 3, 5, 0x7fff, 0xfffe, 0xffff] {
            cases.add("vtables", with(0, v), &[MALFORMED], "");
        }
        for v in [0, 1, 2, 3, 0x7fff, 0xffff] {
            cases.add("vtables", with(2, v), &[MALFORMED], "");
        }
        for v in [1, 2, 3, 4, 5, 6, 8, 0x7fff, 0xffff] {
            cases.any("fields elsewhere", format!("{v} at {at}"), with(4, v));
        }
    }
    for &at in &counts {
        for v in [len, 1 << 20, 1 << 28, i32::MAX as u32, 1 << 31, u32::MAX] {
            cases.add("counts", put(&bytes, at, v), &[MALFORMED], "elements, which end at byte");
        }
        let n = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        for v in [0, n.saturating_sub(1), n + 1, 2 * n] {
            cases.any("counts that fit", format!("{v} at {at}"), put(&bytes, at, v));
        }
    }
    for &at in &scalars {
        for v in [0, 0x80, 0xff] {
            let mut bytes = bytes.clone();
            bytes[at] = v;
            cases.any("scalars", format!("{v} at {at}"), bytes);
        }
    }
}

fn shapes(cases: &mut Cases) {
    let with = |i: usize, shape: &[i32]| sound().edit(|t| t.tensors[i].set(0, i32s(shape)));
    for n in [-1, -2, i32::MIN] {
        for i in [IMAGE, KERNEL, FLAT] {
            let says = format!("tensor {i} of subgraph 0 has a dimension of {n}, 0 or more");
            cases.malformed("shapes", with(i, &[1, n, 4, 2]), says);
        }
    }
    for shape in
        [&[i32::MAX; 3][..], &[i32::MAX; 8], &[1 << 21, 1 << 20], &[i32::MAX, i32::MAX, 0], &[0, 1 << 30, 1 << 30]]
    {
        for i in [IMAGE, KERNEL, CONV] {
            let says = format!("tensor {i} of subgraph 0 has shape {shape:?} of FLOAT32, 1099511627776 bytes");
            cases.malformed("shapes", with(i, shape), says);
        }
    }
    for n in [9, 10, 255, 1000] {
        cases.malformed(
            "shapes",
            with(IMAGE, &vec![1; n]),
            format!("tensor 0 of subgraph 0 has {n} dimensions, at most 8"),
        );
    }
    for shape in [&[][..], &[54], &[3, 3, 3], &[3, 3, 3, 3], &[0]] {
        let n: i32 = shape.iter().product();
        let (says, shape_is_right) = (format!("FLOAT32 of shape {shape:?} takes {}", 4 * n), n == 54);
        match shape_is_right {
            true => cases.any("shapes that fit", format!("{shape:?}"), with(KERNEL, shape).bytes()),
            false => cases.malformed("shapes", with(KERNEL, shape), says),
        }
    }
    for n in [0, 1, 4, 11, 13, 16] {
        let tiny = sound().edit(|t| t.buffers[2].set(0, bytes(&vec![0; n])));
        match n {
            // Without data the bias is something that nothing computes.
            0 => cases.malformed("data", tiny, "operator 0 of subgraph 0 reads tensor 2"),
            _ => cases.malformed("data", tiny, format!("tensor 2 of subgraph 0 has {n} bytes of data")),
        }
    }
    for id in [-1, -128, 23, 24, 100, 127] {
        let tiny = sound().edit(|t| t.tensors[BIAS].set(1, i8v(id)));
        cases.add("types", tiny.bytes(), &[TENSOR_TYPE], format!("tensor 2 of subgraph 0 has type {id}"));
    }
    for id in [1, 3, 4, 6, 7, 8, 9, 10, 11, 12, 16, 17, 18, 19, 20, 21, 22] {
        let tiny = sound().edit(|t| t.tensors[BIAS].set(1, i8v(id)));
        cases.malformed("types", tiny, "tensor 2 of subgraph 0 has 12 bytes of data");
    }
}

fn indices(cases: &mut Cases) {
    for buffer in [4, 5, 1 << 20, i32::MAX as u32, u32::MAX] {
        let tiny = sound().edit(|t| t.tensors[BIAS].set(2, u32v(buffer)));
        cases.malformed(
            "buffers",
            tiny,
            format!("tensor 2 of subgraph 0 has its data in buffer {buffer}, the model has 4"),
        );
    }
    for (offset, size) in [(1 << 20, 12), (u64::MAX, 12), (2, u64::MAX), (u64::MAX, u64::MAX), (1 << 63, 1 << 63)] {
        let tiny = sound().edit(|t| t.buffers[2] = table(vec![(1, u64v(offset)), (2, u64v(size))]));
        cases.malformed("buffers", tiny, format!("buffer 2 has {size} bytes at byte {offset}, the file ends at"));
    }
    let elsewhere = sound().edit(|t| t.tensors[BIAS].set(10, u32v(1)));
    cases.add("buffers", elsewhere.bytes(), &[ARCHITECTURE], "the data of tensor 2 of subgraph 0 is in another file");
    for code in [2, 3, 1 << 20, u32::MAX] {
        let tiny = sound().edit(|t| t.operators[1].set(0, u32v(code)));
        cases.malformed(
            "operator codes",
            tiny,
            format!("operator 1 of subgraph 0 is of operator code {code}, the model has 2"),
        );
    }
    for number in [-1, i32::MIN] {
        let tiny = sound().edit(|t| t.codes[1] = table(vec![(0, i8v(-1)), (3, i32v(number))]));
        cases.malformed("operator codes", tiny, "operator code 1 is -1, 0 or more");
    }
    let nameless = sound().edit(|t| t.codes[1] = table(vec![(3, i32v(32))]));
    cases.malformed("operator codes", nameless, "operator code 1 is a custom operator without a name");
    for i in [6, 7, 1 << 20, -2, i32::MIN, i32::MAX] {
        let input = sound().edit(|t| t.operators[0].set(1, i32s(&[0, i, 2])));
        cases.malformed(
            "tensor indices",
            input,
            format!("operator 0 of subgraph 0 has tensor {i} as input, the subgraph has 6"),
        );
        let output = sound().edit(|t| t.operators[0].set(2, i32s(&[i])));
        cases.malformed("tensor indices", output, format!("operator 0 of subgraph 0 has tensor {i} as output"));
        cases.malformed(
            "tensor indices",
            sound().edit(|t| t.inputs = vec![i]),
            format!("subgraph 0 has tensor {i} as input"),
        );
        cases.malformed(
            "tensor indices",
            sound().edit(|t| t.outputs = vec![i]),
            format!("subgraph 0 has tensor {i} as output"),
        );
        let map = table(vec![(0, text("x")), (1, i32v(i))]);
        let signature = sound().edit(|t| t.signatures[0].set(0, Value::Tables(vec![map])));
        cases.malformed("tensor indices", signature, "an input of signature 0 has tensor ");
    }
    let output = sound().edit(|t| t.operators[0].set(2, i32s(&[-1])));
    cases.malformed("tensor indices", output, "operator 0 of subgraph 0 has tensor -1 as output");
    for i in [1, 2, u32::MAX] {
        let tiny = sound().edit(|t| t.signatures[0].set(4, u32v(i)));
        cases.malformed("subgraphs", tiny, format!("signature 0 is of subgraph {i}, the model has 1"));
    }
    let mut root = sound().root();
    root.set(2, Value::Tables(vec![]));
    cases.add("subgraphs", write(b"TFL3", &root).bytes, &[MALFORMED], "the model has no subgraphs");
    root.remove(2);
    cases.add("subgraphs", write(b"TFL3", &root).bytes, &[MALFORMED], "the model has no subgraphs");
}

fn order(cases: &mut Cases) {
    let class = "order";
    cases.malformed(class, sound().edit(|t| t.operators.reverse()), "operator 0 of subgraph 0 reads tensor 3");
    cases.malformed(class, sound().edit(|t| t.operators.truncate(1)), "tensor 5 is an output of subgraph 0");
    cases.malformed(class, sound().edit(|t| t.inputs.clear()), "operator 0 of subgraph 0 reads tensor 0");
    for i in [IMAGE, KERNEL, CONV] {
        let tiny = sound().edit(|t| t.operators[1].set(2, i32s(&[i as i32])));
        cases.malformed(class, tiny, format!("operator 1 of subgraph 0 writes tensor {i}, which is there before it"));
    }
    let itself = sound().edit(|t| t.operators[0].set(1, i32s(&[3, 1, 2])));
    cases.malformed(class, itself, "operator 0 of subgraph 0 reads tensor 3, which nothing before it computes");
}

fn options(cases: &mut Cases) {
    let with = |field: usize, value: Value| {
        sound().edit(|t| {
            let mut conv = table(vec![(0, i8v(1)), (1, i32v(1)), (2, i32v(1))]);
            conv.set(field, value);
            t.operators[0].set(4, Value::Table(conv));
        })
    };
    for (field, name) in [(1, "stride"), (2, "stride"), (4, "dilation"), (5, "dilation")] {
        for v in [0, -1, i32::MIN] {
            let says = format!("'{name}' of the options of operator 0 of subgraph 0 is {v}, 1 or more");
            cases.malformed("options", with(field, i32v(v)), says);
        }
    }
    for v in [2, 3, 127, -1] {
        let says = format!("'padding' of the options of operator 0 of subgraph 0 is {}, 0 and 1 are known", v as u8);
        cases.malformed("options", with(0, i8v(v)), says);
    }
    for v in [6, 7, 127, -1] {
        let says = format!("'fused_activation_function' of the options of operator 0 of subgraph 0 is {}", v as u8);
        cases.malformed("options", with(3, i8v(v)), says);
    }
    for kind in [2, 5, 17, 126, -1] {
        let tiny = sound().edit(|t| t.operators[0].set(3, i8v(kind)));
        cases.malformed("options", tiny, format!("the options of operator 0 of subgraph 0 are of kind {}", kind as u8));
    }
    for field in [3, 4] {
        let tiny = sound().edit(|t| t.operators[0].remove(field));
        cases.malformed("options", tiny, "the options of operator 0 of subgraph 0 are missing");
    }
    let shuffled = sound().edit(|t| {
        t.codes[0] = table(vec![(3, i32v(9))]);
        t.operators[0].set(3, i8v(8));
        t.operators[0].set(4, Value::Table(table(vec![(1, i8v(1))])));
    });
    cases.add("options", shuffled.bytes(), &[TENSOR_TYPE], "the weights are shuffled");
}

fn quantisation(cases: &mut Cases) {
    let with = |fields: Vec<(usize, Value)>| sound().edit(|t| t.tensors[KERNEL].set(4, Value::Table(table(fields))));
    let place = "the quantisation of tensor 1 of subgraph 0";
    for (scales, zeros) in [(1, 0), (0, 0), (1, 2), (2, 1), (3, 0), (3, 2), (3, 4), (1, 54)] {
        let fields = vec![(2, f32s(&vec![1.0; scales])), (3, i64s(&vec![0; zeros]))];
        match scales {
            0 => cases.any("quantisation", "none".into(), with(fields).bytes()),
            _ => cases.malformed(
                "quantisation",
                with(fields),
                format!("{place} has {scales} scales and {zeros} zero points"),
            ),
        }
    }
    for n in [2, 4, 54, 1000] {
        let fields = vec![(2, f32s(&vec![1.0; n])), (3, i64s(&vec![0; n]))];
        cases.malformed("quantisation", with(fields), format!("{place} has {n} scales, 1 or 3 are allowed"));
    }
    let one = |axis: i32| vec![(2, f32s(&[1.0])), (3, i64s(&[0])), (6, i32v(axis))];
    for axis in [4, 5, i32::MAX] {
        cases.malformed(
            "quantisation",
            with(one(axis)),
            format!("{place} is along dimension {axis}, the tensor has 4"),
        );
    }
    for axis in [-1, i32::MIN] {
        cases.malformed(
            "quantisation",
            with(one(axis)),
            format!("'quantized_dimension' of {place} is {axis}, 0 or more"),
        );
    }
    for scale in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let fields = vec![(2, f32s(&[scale])), (3, i64s(&[0]))];
        cases.malformed("quantisation", with(fields), format!("{place} has a scale of {scale}, finite ones"));
    }
    for kind in [1, 2, 3, -1] {
        let mut fields = one(0);
        fields.extend([(4, i8v(kind)), (5, Value::Table(Table::default()))]);
        cases.add("quantisation", with(fields).bytes(), &[TENSOR_TYPE], format!("{place} is of kind {}", kind as u8));
    }
}

fn zips(cases: &mut Cases) {
    let class = "zip";
    let base = || zip(&[("a.tflite", sound().bytes()), ("b.tflite", sound().bytes())]);
    let mut edited = |code, says: &str, change: &dyn Fn(&mut Zip)| {
        cases.add(class, base().edit(change).bytes(), code, says);
    };
    let (malformed, other): (&[&str], &[&str]) = (&[MALFORMED], &[ARCHITECTURE]);
    for method in [1, 8, 9, 12, 14, 93, 95, u16::MAX] {
        let says = format!("'b.tflite' of the bundle is compressed by method {method}, 0 (stored) is supported");
        edited(other, &says, &|z| z.files[1].method = method);
    }
    edited(other, "'a.tflite' of the bundle is encrypted", &|z| z.files[0].flags = 1);
    edited(other, "zip64", &|z| z.n_files = u16::MAX);
    edited(other, "zip64", &|z| z.directory_start = Some(u32::MAX));
    edited(other, "zip64", &|z| z.files[0].start = Some(u32::MAX));
    edited(other, "zip64", &|z| {
        z.files[0].stored_bytes = u32::MAX;
        z.files[0].bytes = u32::MAX;
    });
    for n in [3, 4, 1000] {
        edited(malformed, "file 2 of the zip has no record at byte", &|z| z.n_files = n);
    }
    edited(malformed, "the bundle has no TFLite file", &|z| z.n_files = 0);
    for crc in [0, 1, u32::MAX] {
        let says = format!("its zip says {crc:08x}");
        edited(malformed, &says, &|z| z.files[0].crc = crc);
    }
    edited(malformed, "'b.tflite' has the checksum", &|z| z.files[1].data[100] ^= 1);
    for n in [0, 1, 1 << 20, u32::MAX - 1] {
        edited(malformed, "'a.tflite' of the zip has ", &|z| z.files[0].stored_bytes = n);
        edited(malformed, "'b.tflite' of the zip has ", &|z| z.files[1].bytes = n);
        if n > 1 {
            edited(malformed, "'b.tflite' of the zip ends at byte", &|z| {
                z.files[1].stored_bytes = n;
                z.files[1].bytes = n;
            });
        }
    }
    for start in [1, 4, 30, 1 << 20, u32::MAX - 1] {
        let says = format!("'b.tflite' of the zip has no header at byte {start}");
        edited(malformed, &says, &|z| z.files[1].start = Some(start));
    }
    edited(malformed, "'b.tflite' of the zip has another name at byte 0", &|z| z.files[1].start = Some(0));
    edited(malformed, "'a.tflite' and 'a.tflite' overlap in the zip", &|z| {
        z.files[1].name = "a.tflite".into();
        z.files[1].start = Some(0);
    });
    edited(malformed, "another name", &|z| z.files[0].local_name = "c.tflite".into());
    for start in [0, 1, 100] {
        edited(malformed, "has no record at byte 0", &|z| z.directory_start = Some(start));
    }
    for start in [1 << 20, 1 << 31, u32::MAX - 1] {
        edited(malformed, "the zip's directory ends at byte", &|z| z.directory_start = Some(start));
    }
    for n in [1, 2, 1000] {
        edited(malformed, "the zip has no directory", &|z| z.comment_bytes = n);
    }
    edited(malformed, "has a name of 2000 bytes, 1024 are allowed", &|z| {
        z.files[0].name = "a".repeat(2000);
        z.files[0].local_name = z.files[0].name.clone();
    });
    edited(malformed, "'a.tflite': the file is of version 9", &|z| {
        z.files[0] = zip(&[("a.tflite", sound().edit(|t| t.version = 9).bytes())]).files[0].clone();
    });
    edited(malformed, "'a.tflite': the file has \"text\" at byte 4", &|z| {
        z.files[0] = zip(&[("a.tflite", b"abcdtext".to_vec())]).files[0].clone();
    });
    let nested = (0..4).fold(sound().bytes(), |inner, _| zip(&[("x.task", inner)]).bytes());
    cases.add(class, nested, malformed, "'x.task/x.task/x.task' is a bundle inside 3 others, 2 are allowed");
    let bytes = base().bytes();
    for cut in (4..bytes.len()).step_by(97).chain(bytes.len() - 30..bytes.len()) {
        cases.add(
            "truncated zip",
            bytes[..cut].to_vec(),
            malformed,
            "the zip has no directory in its last 65535 bytes",
        );
    }
    let directory = bytes.windows(4).position(|w| w == b"PK\x01\x02").expect("a directory");
    for at in (0..60).chain(directory..bytes.len()) {
        for v in [0, 1, 0x7f, 0xff] {
            let mut bytes = bytes.clone();
            bytes[at] = v;
            cases.any("damaged zip", format!("{v} at {at}"), bytes);
        }
    }
}

#[test]
fn malformed_files_are_errors_that_say_what_was_found() {
    let _turn = TURN.lock();
    open(&sound().bytes()).expect("the file is sound but for what is done to it");
    let mut cases = Cases::of(MALFORMED);
    identifiers(&mut cases);
    truncated(&mut cases);
    offsets(&mut cases);
    shapes(&mut cases);
    indices(&mut cases);
    order(&mut cases);
    options(&mut cases);
    quantisation(&mut cases);
    zips(&mut cases);
    assert!(cases.check(open) >= 2000);
}

/// A list of so many tables, which are all one without fields.
fn one_table(n: u32) -> Value {
    let mut elements: Vec<u8> = (0..n).flat_map(|i| (4 * (n - i)).to_le_bytes()).collect();
    // The table before its vtable.
    elements.extend((-4i32).to_le_bytes());
    elements.extend([4, 0, 4, 0]);
    Value::Vector(n, elements)
}

#[test]
fn lists_of_one_table_take_bounded_memory() {
    let _turn = TURN.lock();
    let mut cases = Cases::of(MALFORMED);
    let says = "what the file describes takes more than 33554432 bytes of memory";
    for n in [1000, 50_000, 2_000_000] {
        // Operator codes, subgraphs, buffers, signatures.
        for field in [1, 2, 4, 7] {
            let mut root = sound().root();
            root.set(field, one_table(n));
            cases.any("lists of one table", format!("{n} in field {field}"), write(b"TFL3", &root).bytes);
        }
        // Tensors, operators (additions).
        for field in [0, 3] {
            let mut subgraph = sound().edit(|t| t.operators.clear()).edit(|t| t.outputs.clear()).subgraph();
            subgraph.set(field, one_table(n));
            let mut root = sound().edit(|t| t.codes[0] = Table::default()).edit(|t| t.signatures.clear()).root();
            root.set(2, Value::Tables(vec![subgraph]));
            let bytes = write(b"TFL3", &root).bytes;
            match n {
                1000 => open(&bytes).expect("a sound file"),
                50_000 => cases.any("lists of one table", format!("{n} in field {field} of a subgraph"), bytes),
                _ => cases.add("lists of one table", bytes, &[MALFORMED], says),
            }
        }
    }
    cases.check(open);
}

/// The files of MediaPipe's networks, and which of their bytes are not the data of constants. Prints SKIP where they are
/// not there.
fn real_files() -> Vec<(&'static str, Vec<u8>, Vec<usize>)> {
    let names = ["palm_detection_lite", "hand_landmark_full", "hand_landmark", "face_detection_short_range"];
    let mut files = Vec::new();
    for name in names {
        let Some(path) = shared(&format!("vision/{name}.tflite")) else { continue };
        let bytes = std::fs::read(path).unwrap();
        let model = Model::parse(&bytes).unwrap();
        let mut is_data = vec![false; bytes.len()];
        for range in model.network().tensors.iter().filter_map(|t| t.file_range.clone()) {
            is_data[range.start as usize..range.end as usize].fill(true);
        }
        let structure = (0..bytes.len()).filter(|&i| !is_data[i]).collect();
        files.push((name, bytes, structure));
    }
    files
}

/// Some bytes of the structure changed.
fn mutate(bytes: &mut [u8], structure: &[usize], rng: &mut Rng) {
    const TELLING: [u8; 6] = [0, 1, 4, 0x7f, 0x80, 0xff];
    for _ in 0..1 + rng.next() % 4 {
        let at = structure[rng.next() as usize % structure.len()];
        bytes[at] = match rng.next() % 3 {
            0 => TELLING[rng.next() as usize % TELLING.len()],
            1 => bytes[at] ^ (1 << (rng.next() % 8)),
            _ => rng.next() as u8,
        };
    }
}

#[test]
fn damaged_files_of_real_networks_are_errors_or_read() {
    let _turn = TURN.lock();
    for (name, bytes, structure) in real_files() {
        let mut cases = Cases::of(MALFORMED);
        for i in 0..40 {
            let cut = 8 + (bytes.len() - 8) * i / 40;
            cases.add("truncated", bytes[..cut].to_vec(), &[MALFORMED], "(truncated?)");
        }
        cases.check(open);
        let mut rng = Rng(bytes.len() as u64);
        for _ in 0..20 {
            let mut cases = Cases::of(MALFORMED);
            for i in 0..20 {
                let mut bytes = bytes.clone();
                mutate(&mut bytes, &structure, &mut rng);
                cases.any("mutated", format!("{name} {i}"), bytes);
            }
            cases.check(open);
        }
    }
}

/// A fuzzer in small, for where there is none: `cargo test --test malformed_tflite -- --ignored`.
#[test]
#[ignore = "takes three minutes"]
fn mutations_for_minutes_neither_panic_nor_take_much_memory() {
    let _turn = TURN.lock();
    let mut seeds: Vec<(Vec<u8>, Vec<usize>)> = vec![
        sound().bytes(),
        zip(&[("a.tflite", sound().bytes()), ("b.task", zip(&[("c.tflite", sound().bytes())]).bytes())]).bytes(),
    ]
    .into_iter()
    .map(|bytes| (bytes.clone(), (0..bytes.len()).collect()))
    .collect();
    seeds.extend(real_files().into_iter().map(|(_, bytes, structure)| (bytes, structure)));
    let (mut rng, start) = (Rng(1), Instant::now());
    let (mut n, mut sound, mut highest) = (0, 0, 0);
    while start.elapsed() < Duration::from_secs(180) {
        for (seed, structure) in &mut seeds {
            let before = seed.clone();
            for _ in 0..50 {
                mutate(seed, structure, &mut rng);
                let (result, peak) = peak_bytes(|| open(seed));
                (n, highest) = (n + 1, highest.max(peak));
                sound += usize::from(result.is_ok());
                assert!(peak <= MAX_PEAK_BYTES, "{peak} bytes of memory");
                // What is still sound is changed further.
                if result.is_err() || rng.next().is_multiple_of(8) {
                    seed.copy_from_slice(&before);
                }
            }
            seed.copy_from_slice(&before);
        }
    }
    println!("{n} files, {sound} of them read, at most {highest} bytes of memory");
}
