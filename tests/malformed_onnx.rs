//! Malformed ONNX files, made by class: each ends in an error with its code, or is read where what was changed says nothing
//! wrong; never in a panic, and it takes little memory on the way, whatever it claims.

#[path = "common/cases.rs"]
mod cases;
mod common;
#[path = "common/counting.rs"]
mod counting;
#[path = "common/onnx_writer.rs"]
mod writer;

use std::time::{Duration, Instant};

use cases::{ARCHITECTURE, Cases, MAX_PEAK_BYTES, TENSOR_TYPE, TURN};
use common::{Rng, shared};
use counting::peak_bytes;
use webgguf::error::Result;
use webgguf::formats::onnx::{Data, Inspection, Model, Reader};
use writer::*;

const MALFORMED: &str = "MALFORMED_ONNX";

/// A file whose size nobody knows, in pieces, without the data.
fn streamed(bytes: &[u8]) -> Result<Model> {
    const PIECE: usize = 1000;
    let mut reader = Reader::new(None)?;
    while let Some(rest) = bytes.get(reader.position() as usize..).filter(|rest| !rest.is_empty()) {
        reader.feed(reader.position(), &rest[..rest.len().min(PIECE)])?;
    }
    reader.finish()
}

/// All that is done with a file.
fn open(bytes: &[u8]) -> Result<()> {
    let streamed = streamed(bytes);
    let model = Model::parse(bytes)?;
    assert!(streamed?.constants().eq(model.constants()));
    let report = Inspection::new(&model);
    assert!(report.weight_bytes < u64::MAX / 2);
    for (name, t) in model.constants() {
        if let Data::Range(range) = &t.data {
            assert!(range.start < range.end && range.end <= bytes.len() as u64, "{range:?} of {}, {name}", bytes.len());
            assert_eq!(range.end - range.start, t.n_bytes());
        }
    }
    Ok(())
}

/// The varint at `at` replaced by some bytes.
fn put(bytes: &[u8], at: usize, new: &[u8]) -> Vec<u8> {
    let n = bytes[at..].iter().position(|b| *b < 0x80).unwrap() + 1;
    [&bytes[..at], new, &bytes[at + n..]].concat()
}

fn other_files(cases: &mut Cases) {
    let class = "other files";
    for (bytes, says) in [
        (vec![], "the file has no 'ir_version'"),
        (b"GGUF\x03\0\0\0".to_vec(), "MALFORMED"),
        (b"\x1c\0\0\0TFL3".to_vec(), ""),
        (b"PK\x03\x04".to_vec(), ""),
        (b"version https://git-lfs.github.com/spec/v1\n".to_vec(), ""),
        (b"<!doctype html>".to_vec(), ""),
        (vec![0; 64], "has number 0"),
        (vec![0xff; 64], "more than 64 bits"),
    ] {
        cases.add(class, bytes, &[MALFORMED], says.replace("MALFORMED", ""));
    }
    for version in [0, 1, 2, -1, i64::MIN] {
        let says = format!("the file is of version {version} of the format, 3 or more is supported");
        cases.malformed(class, &sound().edit(|m| m.set(1, int(version))), says);
    }
    cases.malformed(class, &sound().edit(|m| m.remove(1)), "the file has no 'ir_version'");
    cases.malformed(class, &sound().edit(|m| m.remove(GRAPH)), "the file has no graph");
    cases.malformed(class, &sound().edit(|m| m.remove(8)), "the file has no 'opset_import'");
}

fn truncated(cases: &mut Cases) {
    let bytes = sound().bytes();
    // The last field is a second opset: without it the file is whole, too.
    let whole = sound().edit(|m| m.0.truncate(m.0.len() - 1)).bytes().len();
    for cut in (0..bytes.len()).filter(|&cut| cut != whole) {
        cases.add("truncated", bytes[..cut].to_vec(), &[MALFORMED], "");
    }
}

fn lengths(cases: &mut Cases) {
    let Written { bytes, lengths, .. } = sound().written();
    for &(at, n) in &lengths {
        for v in [bytes.len() as u64, 1 << 20, 1 << 31, 1 << 32, 1 << 63, u64::MAX - 8, u64::MAX] {
            cases.add("lengths beyond the end", put(&bytes, at, &varint(v)), &[MALFORMED], "");
        }
        for v in [0, n.saturating_sub(1), n + 1, n + 2, 2 * n] {
            cases.any("lengths that may fit", format!("{v} at {at}"), put(&bytes, at, &varint(v as u64)));
        }
        for overlong in [[0xff; 9].as_slice(), &[0x80; 12]] {
            let new = [overlong, &[2]].concat();
            cases.add("overlong numbers", put(&bytes, at, &new), &[MALFORMED], "");
        }
    }
}

fn keys(cases: &mut Cases) {
    let Written { bytes, keys, numbers, .. } = sound().written();
    for &at in &keys {
        let key = u64::from(bytes[at]);
        for wire in [3, 4, 6, 7] {
            cases.add(
                "wire types",
                put(&bytes, at, &varint(key & !7 | wire)),
                &[MALFORMED],
                format!("has wire type {wire}"),
            );
        }
        for wire in [0, 1, 2, 5] {
            cases.any("wire types of others", format!("{wire} at {at}"), put(&bytes, at, &varint(key & !7 | wire)));
        }
        cases.add("field numbers", put(&bytes, at, &[key as u8 & 7]), &[MALFORMED], "has number 0");
        cases.add("field numbers", put(&bytes, at, &varint(1 << 40 | key)), &[MALFORMED], "");
        for field in [1, 2, 5, 8, 9, 15, 100, (1 << 29) - 1] {
            cases.any("fields of others", format!("{field} at {at}"), put(&bytes, at, &varint(field << 3 | key & 7)));
        }
    }
    for &at in &numbers {
        for new in [[0xff; 10].as_slice(), &[0x80; 10], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]] {
            cases.add("overlong numbers", put(&bytes, at, new), &[MALFORMED], "");
        }
        for v in [0, 1, 2, 127, 1 << 31, u64::MAX] {
            cases.any("numbers", format!("{v} at {at}"), put(&bytes, at, &varint(v)));
        }
    }
    for at in 0..bytes.len() {
        // The data of the big tensor says nothing wrong.
        if !(400..2300).contains(&at) {
            for v in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] = v;
                cases.any("bytes", format!("{v} at {at}"), bytes);
            }
        }
    }
}

/// Wire types that each field may not have, field by field.
fn wrong_wires(cases: &mut Cases) {
    let class = "wrong wire types";
    let values = || [int(1), Value::Fixed32([0; 4]), Value::Fixed64([0; 8]), text("x")];
    let mut add = |name: &str, allowed: &[usize], with: &dyn Fn(Value) -> Message| {
        for (i, value) in values().into_iter().enumerate().filter(|(i, _)| !allowed.contains(i)) {
            let wire = [0, 5, 1, 2][i];
            cases.malformed(class, &with(value), format!("'{name}' has wire type {wire}, "));
        }
    };
    for (field, name) in [(2, "producer_name"), (3, "producer_version"), (4, "domain")] {
        add(name, &[3], &|v| sound().edit(|m| m.set(field, v)));
    }
    for (field, name) in [(1, "ir_version"), (5, "model_version")] {
        add(name, &[0], &|v| sound().edit(|m| m.set(field, v)));
    }
    for (field, name) in [(8, "opset_import"), (14, "metadata_props"), (7, "graph")] {
        add(name, &[3], &|v| sound().edit(|m| m.set(field, v)));
    }
    for (field, name) in [(1, "node"), (2, "name"), (5, "initializer"), (11, "input"), (12, "output")] {
        add(name, &[3], &|v| with_graph(|g| g.set(field, v)));
    }
    for (field, name) in [(1, "input"), (2, "output"), (3, "name"), (4, "op_type"), (5, "attribute"), (7, "domain")] {
        add(name, &[3], &|v| with_node(4, |n| n.set(field, v)));
    }
    for (field, name, allowed) in [
        (1, "dims", [0, 3].as_slice()),
        (2, "data_type", &[0]),
        (8, "name", &[3]),
        (9, "raw_data", &[3]),
        (14, "data_location", &[0]),
    ] {
        add(name, allowed, &|v| with_tensor(0, |t| t.set(field, v)));
    }
    add("float_data", &[1, 3], &|v| with_tensor(1, |t| t.set(4, v)));
    add("int64_data", &[0, 3], &|v| with_tensor(2, |t| t.set(7, v)));
    add("int32_data", &[0, 3], &|v| with_tensor(3, |t| t.set(5, v)));
    for (i, field, name, allowed) in [
        (0, 2, "f", [1].as_slice()),
        (1, 3, "i", &[0]),
        (2, 4, "s", &[3]),
        (3, 8, "ints", &[0, 3]),
        (4, 7, "floats", &[1, 3]),
        (4, 20, "type", &[0]),
        (4, 1, "name", &[3]),
    ] {
        add(name, allowed, &|v| with_node(4, |n| n.nth(ATTRIBUTE, i).set(field, v)));
    }
    add("t", &[3], &|v| with_node(1, |n| n.nth(ATTRIBUTE, 0).set(5, v)));
    add("g", &[3], &|v| with_node(3, |n| n.nth(ATTRIBUTE, 1).set(6, v)));
    let dim = |v: Value, field: u32| with_graph(|g| g.nth(11, 0).nth(2, 0).nth(1, 0).nth(2, 0).nth(1, 1).set(field, v));
    add("dim_value", &[0], &|v| dim(v, 1));
    add("dim_param", &[3], &|v| dim(v, 2));
    add("elem_type", &[0], &|v| with_graph(|g| g.nth(11, 0).nth(2, 0).nth(1, 0).set(1, v)));
    add("shape", &[3], &|v| with_graph(|g| g.nth(11, 0).nth(2, 0).nth(1, 0).set(2, v)));
}

/// Fields that are no lists, there twice.
fn repeats(cases: &mut Cases) {
    let class = "fields that are there twice";
    let mut twice = |name: &str, message: Message| cases.malformed(class, &message, format!("'{name}' is there twice"));
    for (field, name) in [(1, "ir_version"), (2, "producer_name"), (3, "producer_version"), (7, "graph")] {
        let again = sound().0.into_iter().find(|(f, _)| *f == field).unwrap().1;
        twice(name, sound().edit(|m| m.add(field, again)));
    }
    twice("name", with_graph(|g| g.add(2, text("again"))));
    for (field, name) in [(3, "name"), (4, "op_type")] {
        twice(name, with_node(0, |n| n.add(field, text("Again"))));
    }
    for (field, name, value) in [(2, "data_type", int(1)), (8, "name", text("again")), (9, "raw_data", text("again"))] {
        twice(name, with_tensor(0, |t| t.add(field, value)));
    }
    for (i, field, name, value) in
        [(0, 2, "f", Value::Fixed32([0; 4])), (1, 3, "i", int(1)), (2, 4, "s", text("x")), (1, 20, "type", int(2))]
    {
        twice(name, with_node(4, |n| n.nth(ATTRIBUTE, i).add(field, value)));
    }
    twice("dim_value", with_graph(|g| g.nth(11, 0).nth(2, 0).nth(1, 0).nth(2, 0).nth(1, 1).add(1, int(24))));
}

fn tensors(cases: &mut Cases) {
    let with_dims = |i: usize, dims: &[i64]| with_tensor(i, |t| t.set(1, packed(dims)));
    for n in [-1, -24, i64::MIN] {
        for (i, name) in [(0, "big"), (1, "bias"), (3, "codes")] {
            let says = format!("initializer {i} '{name}': the tensor has a dimension of {n}, 0 or more is allowed");
            cases.malformed("shapes", &with_dims(i, &[1, n]), says);
        }
    }
    for dims in [&[i64::MAX][..], &[i64::MAX; 3], &[1 << 32; 2], &[i64::MAX, i64::MAX, 0], &[0, 1 << 40, 1 << 40]] {
        for i in [0, 1, 3] {
            cases.malformed("shapes", &with_dims(i, dims), format!("the tensor has shape {dims:?} of "));
        }
    }
    for n in [17, 255, 1000] {
        cases.malformed("shapes", &with_dims(0, &vec![1; n]), format!("the tensor has {n} dimensions, at most 16"));
    }
    for dims in [&[][..], &[0], &[1], &[24], &[24, 23], &[24, 24, 2], &[577]] {
        let says = format!("the tensor has 2304 bytes of data, FLOAT of shape {dims:?} takes");
        cases.malformed("shapes", &with_dims(0, dims), says);
    }
    for id in [0, 27, 28, 100, -1, i64::MIN, 1 << 32 | 1] {
        let says = format!("initializer 0 'big': the tensor has type {id}, 1 to 26 are known");
        cases.add("types", with_tensor(0, |t| t.set(2, int(id))).bytes(), &[TENSOR_TYPE], says);
    }
    for id in (2..=26).filter(|id| ![6, 8, 12].contains(id)) {
        cases.malformed("types", &with_tensor(0, |t| t.set(2, int(id))), "the tensor has 2304 bytes of data");
    }
    cases.malformed(
        "types",
        &with_tensor(0, |t| t.set(2, int(8))),
        "the tensor has 'raw_data', STRING has 'string_data'",
    );
    for n in [0, 1, 4, 2303, 2305, 4000] {
        let says = format!("the tensor has {n} bytes of data, FLOAT of shape [24, 24] takes 2304");
        cases.malformed("data", &with_tensor(0, |t| t.set(9, Value::Bytes(vec![0; n]))), says);
    }
    cases.malformed("data", &with_tensor(0, |t| t.remove(9)), "the tensor has 0 bytes of data");
    cases.malformed(
        "data",
        &with_tensor(1, |t| t.set(4, Value::Bytes(vec![0; 95]))),
        "the tensor has 95 bytes of data",
    );
    let parts = with_tensor(1, |t| t.add(4, Value::Bytes(vec![0; 7])));
    cases.malformed("data", &parts, "'float_data' has 7 bytes, a multiple of 4 is allowed");
    let large = with_tensor(1, |t| t.add(4, Value::Bytes(vec![0; 4000])));
    cases.malformed("data", &large, "'float_data' has a part of 4000 bytes and others, one part is allowed");
    for (field, name) in
        [(4, "float_data"), (10, "double_data"), (7, "int64_data"), (11, "uint64_data"), (6, "string_data")]
    {
        let both = with_tensor(3, |t| t.add(field, Value::Bytes(vec![0; 8])));
        cases.malformed("data", &both, format!("the tensor has '{name}', INT8 has 'raw_data' or 'int32_data'"));
    }
    let both = with_tensor(3, |t| t.add(9, Value::Bytes(vec![0; 3])));
    cases.malformed("data", &both, "the tensor has both 'raw_data' and 'int32_data', one is allowed");
    for n in [0, 1, 2, 4, 100] {
        let list = with_tensor(3, |t| t.set(5, packed(&vec![1; n])));
        cases.malformed("data", &list, format!("the tensor has {n} bytes of data, INT8 of shape [3] takes 3"));
    }
    for v in [128, -129, 1 << 20, i64::MAX, i64::MIN] {
        let list = with_tensor(3, |t| t.set(5, packed(&[0, v, 0])));
        cases.malformed("data", &list, format!("'int32_data' has the value {v}, INT8 has -128 to 127"));
    }
    for (ty, v, range) in [
        (2, 256, "UINT8 has 0 to 255"),
        (2, -1, "UINT8"),
        (9, 2, "BOOL has 0 to 1"),
        (4, -1, "UINT16"),
        (5, 1 << 15, "INT16"),
        (6, 1 << 31, "INT32"),
        (10, 1 << 16, "FLOAT16"),
    ] {
        let list = with_tensor(3, |t| {
            t.set(2, int(ty));
            t.set(5, packed(&[0, v, 0]));
        });
        cases.malformed("data", &list, format!("'int32_data' has the value {v}, {range}"));
    }
    let cut = with_tensor(3, |t| t.set(5, Value::Bytes(vec![1, 2, 0x80])));
    cases.malformed("data", &cut, "a number ends behind its message, after 1 bytes");
    let overlong = with_tensor(3, |t| t.set(5, Value::Bytes(vec![0xff; 11])));
    cases.malformed("data", &overlong, "a number has more than 64 bits");
    let segment = with_tensor(0, |t| t.add(3, inner(vec![(1, int(0)), (2, int(1))])));
    cases.add("data", segment.bytes(), &[ARCHITECTURE], "the tensor is in segments");
    for location in [2, -1, i64::MAX] {
        let elsewhere = with_tensor(0, |t| t.add(14, int(location)));
        cases.malformed("data", &elsewhere, format!("'data_location' is {location}, 0 and 1 are known"));
    }
    cases.malformed(
        "data",
        &with_tensor(0, |t| t.add(14, int(1))),
        "in another file, which 'external_data' does not name",
    );
    for n in [1, 7, 1000] {
        let sparse = with_graph(|g| (0..n).for_each(|_| g.add(15, inner(vec![(3, int(4))]))));
        cases.add("data", sparse.bytes(), &[ARCHITECTURE], format!("the graph has {n} sparse initializers"));
    }
}

fn names(cases: &mut Cases) {
    let class = "names";
    let again = with_tensor(1, |t| t.set(8, text("big")));
    cases.malformed(class, &again, "the graph: initializer 'big' is there twice");
    cases.malformed(
        class,
        &with_graph(|g| g.add(11, Value::Message(port("x", 1, vec![])))),
        "input 'x' is there twice",
    );
    let again = with_node(4, |n| n.nth(ATTRIBUTE, 0).set(1, text("mode")));
    cases.malformed(class, &again, "node 4 '/Own': attribute 'mode' is there twice");
    for (domain, says) in [("", ""), ("ai.onnx", ""), ("example.own", "example.own")] {
        let again = sound().edit(|m| m.add(8, inner(vec![(1, text(domain)), (2, int(9))])));
        cases.malformed(class, &again, format!("operators of domain '{says}' are there in two versions"));
    }
    let bad = || Value::Bytes(vec![b'a', 0xff, 0xfe]);
    cases.malformed(class, &with_tensor(0, |t| t.set(8, bad())), "initializer 0: 'name' is not UTF-8 at byte 1 of it");
    cases.malformed(class, &with_node(2, |n| n.set(3, bad())), "node 2: 'name' is not UTF-8");
    cases.malformed(class, &with_node(2, |n| n.set(1, bad())), "node 2 '/Add': 'input' is not UTF-8");
    cases.malformed(class, &with_node(2, |n| n.set(2, bad())), "node 2 '/Add': 'output' is not UTF-8");
    cases.malformed(class, &with_node(2, |n| n.set(4, bad())), "node 2 '/Add': 'op_type' is not UTF-8");
    cases.malformed(class, &sound().edit(|m| m.set(2, bad())), "'producer_name' is not UTF-8");
    cases.malformed(class, &with_node(2, |n| n.set(4, text(""))), "node 2 '/Add': the node has no operator");
    cases.malformed(class, &with_node(2, |n| n.remove(4)), "node 2 '/Add': the node has no operator");
    cases.malformed(
        class,
        &with_node(2, |n| n.remove(4)).edit(|m| m.nth(GRAPH, 0).nth(NODE, 2).set(3, text(&"n".repeat(1 << 20)))),
        "node 2 'nnn",
    );
}

fn order(cases: &mut Cases) {
    let class = "order";
    let says = "node 2 '/Add': the node reads 'nothing', which nothing before it writes";
    cases.malformed(class, &with_node(2, |n| n.set(1, text("nothing"))), says);
    let itself = with_node(2, |n| n.set(1, text("sum")));
    cases.malformed(class, &itself, "the node reads 'sum', which nothing before it writes");
    let reversed = with_graph(|g| g.0[..5].reverse());
    cases.malformed(class, &reversed, "node 0 '/Own': the node reads 'chosen', which nothing before it writes");
    for name in ["product", "x", "big", "bias"] {
        let twice = with_node(2, |n| n.set(2, text(name)));
        cases.malformed(class, &twice, format!("node 2 '/Add': the node writes '{name}', which is there before it"));
    }
    cases.malformed(class, &with_graph(|g| g.remove(11)), "node 0 '/MatMul': the node reads 'x'");
    cases.malformed(class, &with_node(4, |n| n.set(2, text("z"))), "output 'y' is there nowhere");
    let later = with_node(3, |n| n.nth(ATTRIBUTE, 0).nth(6, 0).nth(NODE, 0).set(1, text("y")));
    cases.malformed(class, &later, "node 3 '/If': node 0 '/Relu': the node reads 'y', which nothing before it writes");
    let sibling = with_node(3, |n| n.nth(ATTRIBUTE, 1).nth(6, 0).nth(NODE, 0).set(1, text("left")));
    cases.malformed(class, &sibling, "node 3 '/If': node 0 '/Identity': the node reads 'left'");
    let inside = with_node(4, |n| n.set(1, text("left")));
    cases.malformed(class, &inside, "node 4 '/Own': the node reads 'left'");
}

fn attributes(cases: &mut Cases) {
    let class = "attributes";
    let with = |i: usize, change: &dyn Fn(&mut Message)| with_node(4, |n| change(n.nth(ATTRIBUTE, i)));
    cases.malformed(class, &with(0, &|a| a.remove(20)), "attribute 'alpha': the attribute has no type");
    cases.malformed(class, &with(0, &|a| a.set(20, int(0))), "attribute 'alpha': the attribute has no type");
    cases.malformed(class, &with(0, &|a| a.set(20, int(4))), "attribute 'alpha': the attribute has no 't'");
    cases.malformed(class, &with(0, &|a| a.set(20, int(5))), "attribute 'alpha': the attribute has no 'g'");
    cases.malformed(class, &with(0, &|a| a.add(21, text("x"))), "the attribute refers to one of a function");
    for ty in [11, 12, 13, 14, 15, -1, i64::MIN] {
        cases.any(class, format!("type {ty}"), with(0, &|a| a.set(20, int(ty))).bytes());
    }
    cases.malformed(class, &with(3, &|a| a.set(8, Value::Bytes(vec![0x80]))), "a number ends behind its message");
    cases.malformed(class, &with(4, &|a| a.set(7, Value::Bytes(vec![0; 6]))), "'floats' has 6 bytes, a multiple of 4");
    let tensor = with_node(1, |n| n.nth(ATTRIBUTE, 0).nth(5, 0).set(1, packed(&[2])));
    cases.malformed(
        class,
        &tensor,
        "node 1 '/Constant': attribute 'value': the tensor: the tensor has 4 bytes of data",
    );
    let tensor = with_node(1, |n| n.nth(ATTRIBUTE, 0).nth(5, 0).set(2, int(99)));
    cases.add(class, tensor.bytes(), &[TENSOR_TYPE], "attribute 'value': the tensor: the tensor has type 99");
    for n in [-1, i64::MIN] {
        let dim = with_graph(|g| g.nth(11, 0).nth(2, 0).nth(1, 0).nth(2, 0).nth(1, 1).set(1, int(n)));
        cases.malformed(class, &dim, format!("input 0: a dimension is {n}, 0 or more is allowed"));
    }
    for id in [27, 99, -1] {
        let port = with_graph(|g| g.nth(11, 0).nth(2, 0).nth(1, 0).set(1, int(id)));
        cases.add(class, port.bytes(), &[TENSOR_TYPE], format!("input 0: 'x' has type {id}"));
    }
    for depth in [17, 18, 100, 500] {
        cases.malformed(class, &nested(depth), "a graph is inside 16 others, 15 are allowed");
    }
}

#[test]
fn malformed_files_are_errors_that_say_what_was_found() {
    let _turn = TURN.lock();
    open(&sound().bytes()).expect("the file is sound but for what is done to it");
    let mut cases = Cases::of(MALFORMED);
    other_files(&mut cases);
    truncated(&mut cases);
    lengths(&mut cases);
    keys(&mut cases);
    wrong_wires(&mut cases);
    repeats(&mut cases);
    tensors(&mut cases);
    names(&mut cases);
    order(&mut cases);
    attributes(&mut cases);
    assert!(cases.check(open) >= 5000);
}

/// A model whose graph has these bytes before what it needs.
fn graph_of(bytes: &[u8]) -> Vec<u8> {
    let graph = Value::Bytes([bytes, &message(vec![(2, text("many"))]).bytes()].concat());
    message(vec![(1, int(8)), (GRAPH, graph), (8, inner(vec![(2, int(17))]))]).bytes()
}

#[test]
fn long_lists_take_bounded_memory() {
    let _turn = TURN.lock();
    let mut cases = Cases::of(MALFORMED);
    let class = "long lists";
    let described = "what the file describes takes more than 33554432 bytes of memory";
    let kept = "what the file has beside data is more than 16777216 bytes";
    // Numbers without end, small things, long names: a few bytes each, much more in memory.
    let number = |i: u32| format!("{i:x}");
    let nodes = |i: u32| message(vec![(NODE, inner(vec![(2, text(&number(i))), (4, text("A"))]))]).bytes();
    let tensor =
        |i: u32| message(vec![(INITIALIZER, inner(vec![(1, int(0)), (2, int(1)), (8, text(&number(i)))]))]).bytes();
    let port = |i: u32| message(vec![(11, inner(vec![(1, text(&number(i)))]))]).bytes();
    let lists: [&dyn Fn(u32) -> Vec<u8>; 3] = [&nodes, &tensor, &port];
    for list in lists {
        for n in [1000, 100_000, 400_000] {
            let bytes = graph_of(&(0..n).flat_map(list).collect::<Vec<u8>>());
            match n {
                1000 => open(&bytes).expect("a sound file"),
                400_000 => cases.add(class, bytes, &[MALFORMED], ""),
                _ => cases.any(class, format!("{n}"), bytes),
            }
        }
    }
    for n in [100_000, 1_000_000] {
        let outputs: Vec<u8> = (0..n).flat_map(|i| message(vec![(2, text(&number(i)))]).bytes()).collect();
        let node = [outputs, message(vec![(4, text("Split"))]).bytes()].concat();
        cases.any(class, format!("{n} outputs"), graph_of(&message(vec![(NODE, Value::Bytes(node))]).bytes()));
    }
    let of_attribute = |ty: i64, field: u32, value: Value| {
        let node = inner(vec![(4, text("A")), (ATTRIBUTE, Value::Message(attribute("a", ty, field, value)))]);
        graph_of(&message(vec![(NODE, node)]).bytes())
    };
    cases.add(class, of_attribute(7, 8, Value::Bytes(vec![1; 15 << 20])), &[MALFORMED], described);
    cases.add(class, of_attribute(7, 8, Value::Bytes(vec![1; 17 << 20])), &[MALFORMED], kept);
    cases.add(class, of_attribute(3, 4, Value::Bytes(vec![0xff; 15 << 20])), &[MALFORMED], described);
    let texts = inner((0..4_000_000).map(|_| (9, Value::Bytes(vec![]))).collect());
    cases.add(class, of_attribute(8, 21, texts), &[MALFORMED], "");
    let graphs: Vec<u8> = (0..2_000_000).flat_map(|_| [0x5a, 0]).collect();
    let many = [message(vec![(1, text("a")), (20, int(10))]).bytes(), graphs].concat();
    let node = inner(vec![(4, text("A")), (ATTRIBUTE, Value::Bytes(many))]);
    cases.add(class, graph_of(&message(vec![(NODE, node)]).bytes()), &[MALFORMED], described);
    for bytes in [vec![0x0a, 0], vec![0x2a, 0], vec![0x5a, 0]] {
        cases.any(class, format!("{bytes:?}"), graph_of(&bytes.repeat(1_000_000)));
        cases.add(class, graph_of(&bytes.repeat(9_000_000)), &[MALFORMED], kept);
    }
    let integers = inner(vec![(1, int(15 << 20)), (2, int(3)), (5, Value::Bytes(vec![1; 15 << 20])), (8, text("w"))]);
    cases.add(class, graph_of(&message(vec![(INITIALIZER, integers)]).bytes()), &[MALFORMED], described);
    // Data is skipped, however much there is.
    let zeros = inner(vec![(1, int(64 << 20)), (2, int(3)), (8, text("w")), (9, Value::Bytes(vec![0; 64 << 20]))]);
    let large = graph_of(&message(vec![(INITIALIZER, zeros)]).bytes());
    let (result, peak) = peak_bytes(|| open(&large));
    result.expect("a sound file");
    assert!(peak < 1 << 16, "{peak} bytes for 64 MB of data");
    cases.check(open);
}

/// The files of Silero VAD, and which of their bytes are not data. Prints SKIP where they are not there.
fn real_files() -> Vec<(&'static str, Vec<u8>, Vec<usize>)> {
    let mut files = Vec::new();
    for name in ["silero_vad_16k_op15", "silero_vad"] {
        let Some(path) = shared(&format!("audio/{name}.onnx")) else { continue };
        let bytes = std::fs::read(path).unwrap();
        let model = Model::parse(&bytes).unwrap();
        let mut is_data = vec![false; bytes.len()];
        for (_, tensor) in model.constants() {
            if let Data::Range(range) = &tensor.data {
                is_data[range.start as usize..range.end as usize].fill(true);
            }
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
            let cut = bytes.len() * i / 40;
            cases.add("truncated", bytes[..cut].to_vec(), &[MALFORMED], "");
        }
        cases.check(open);
        let mut rng = Rng(bytes.len() as u64);
        for _ in 0..5 {
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

/// A fuzzer in small, for where there is none: `cargo test --test malformed_onnx -- --ignored`.
#[test]
#[ignore = "takes three minutes"]
fn mutations_for_minutes_neither_panic_nor_take_much_memory() {
    let _turn = TURN.lock();
    let small = [sound().bytes(), nested(16).bytes()];
    let mut seeds: Vec<(Vec<u8>, Vec<usize>)> =
        small.into_iter().map(|bytes| (bytes.clone(), (0..bytes.len()).collect())).collect();
    seeds.extend(real_files().into_iter().map(|(_, bytes, structure)| (bytes, structure)));
    let (mut rng, start) = (Rng(1), Instant::now());
    let (mut n, mut sound, mut highest) = (0, 0, 0);
    while start.elapsed() < Duration::from_secs(180) {
        // Small ones more often: they are quick.
        let (bytes, structure) = &seeds[if rng.next() % 8 == 0 { rng.next() as usize % seeds.len() } else { 0 }];
        let mut bytes = bytes.clone();
        mutate(&mut bytes, structure, &mut rng);
        let (result, peak) = peak_bytes(|| open(&bytes));
        assert!(peak <= MAX_PEAK_BYTES, "{peak} bytes of memory");
        highest = highest.max(peak);
        n += 1;
        sound += usize::from(result.is_ok());
    }
    println!("{n} files, {sound} of them read; at most {highest} bytes of memory");
}
