//! The reader on small files that are written here.

use super::*;
use writer::*;

#[path = "../../../tests/common/onnx_writer.rs"]
mod writer;

fn parsed(message: &Message) -> Model {
    Model::parse(&message.bytes()).expect("a sound file")
}

fn error(message: &Message) -> (&'static str, String) {
    let error = Model::parse(&message.bytes()).expect_err("an error");
    (error.code(), error.to_string())
}

#[test]
fn a_model_is_read() {
    let bytes = sound().bytes();
    let model = Model::parse(&bytes).expect("a sound file");
    assert!(is_onnx(&bytes));
    assert_eq!((model.ir_version, model.producer_name.as_str(), model.producer_version.as_str()), (8, "tests", "1.0"));
    let opset = |domain: &str, version| Opset { domain: domain.into(), version };
    assert_eq!(model.opsets, [opset("example.own", 1), opset("", 17)]);
    assert_eq!(model.metadata, [("license".to_owned(), "MIT".to_owned())]);
    let graph = &model.graph;
    assert_eq!((graph.name.as_str(), graph.nodes.len(), graph.initializers.len()), ("tiny", 5, 5));
    let shape = vec![Dim::Named("batch".into()), Dim::Fixed(24), Dim::Unknown];
    assert_eq!(graph.inputs, [Port { name: "x".into(), ty: Some(DataType::Float), shape: Some(shape) }]);
    assert_eq!(graph.require("x").unwrap_err().to_string(), "initializer 'x' is missing from the file");
    let all: Vec<&str> = graph.all().iter().map(|g| g.name.as_str()).collect();
    assert_eq!(all, ["tiny", "then", "else"]);
}

#[test]
fn data_is_a_range_or_values() {
    let bytes = sound().bytes();
    let model = Model::parse(&bytes).unwrap();
    let big = model.graph.require("big").unwrap();
    let values: Vec<f32> = (0..BIG).map(|i| i as f32 / 8.0).collect();
    assert!(matches!(&big.data, Data::Range(range) if range.end - range.start == 4 * BIG as u64));
    assert_eq!((big.bytes(&bytes), big.f32s()), (Some(&f32_bytes(&values)[..]), None));
    let bias: Vec<f32> = (0..24).map(|i| i as f32).collect();
    assert_eq!(model.graph.require("bias").unwrap().f32s(), Some(bias));
    let axes = model.graph.require("axes").unwrap();
    assert_eq!((axes.shape.as_slice(), axes.i64s()), (&[2][..], Some(vec![-1, 2])));
    assert_eq!(model.graph.require("codes").unwrap().data, Data::Values(vec![0x80, 0, 0x7f]));
    assert_eq!(model.graph.nodes[1].constant().map(|(name, t)| (name, t.f32s())), Some(("small", Some(vec![0.5]))));
    let names: Vec<&str> = model.constants().map(|(name, _)| name).collect();
    assert_eq!(names, ["big", "bias", "axes", "codes", "condition", "small"]);
}

#[test]
fn attributes_have_their_types() {
    let model = parsed(&sound());
    let own = &model.graph.nodes[4];
    assert_eq!((own.operator().as_str(), own.input(1), own.input(2)), ("example.own.Own", None, Some("small")));
    assert_eq!(own.attribute("alpha"), Some(&AttributeValue::Float(1.5)));
    assert_eq!(own.attribute("count"), Some(&AttributeValue::Int(-3)));
    assert_eq!(own.attribute("mode"), Some(&AttributeValue::Text("reflect".into())));
    assert_eq!(own.attribute("pads"), Some(&AttributeValue::Ints(vec![1, -2, 300])));
    assert_eq!(own.attribute("scales"), Some(&AttributeValue::Floats(vec![0.25, 4.0])));
    assert_eq!(own.attribute("none"), None);
}

/// `codes` with another type, of which values are in a list.
fn listed(ty: i64, dims: &[i64], field: u32, value: Value) -> Message {
    with_tensor(3, |t| {
        t.remove(5);
        t.set(1, packed(dims));
        t.set(2, int(ty));
        t.add(field, value);
    })
}

#[test]
fn lists_are_the_same_bytes_as_raw_data() {
    let of = |message: &Message| parsed(message).graph.require("codes").unwrap().data.clone();
    let values = |bytes: &[u8]| Data::Values(bytes.to_vec());
    assert_eq!(of(&listed(2, &[2], 5, packed(&[0, 255]))), values(&[0, 255]));
    assert_eq!(of(&listed(5, &[2], 5, packed(&[-2, 300]))), values(&[0xfe, 0xff, 0x2c, 1]));
    assert_eq!(of(&listed(10, &[1], 5, packed(&[0x3c00]))), values(&[0, 0x3c]));
    assert_eq!(of(&listed(6, &[1], 5, packed(&[-1]))), values(&[0xff; 4]));
    assert_eq!(of(&listed(12, &[1], 11, packed(&[0xffff_fffe]))), values(&[0xfe, 0xff, 0xff, 0xff]));
    assert_eq!(of(&listed(13, &[1], 11, packed(&[-1]))), values(&[0xff; 8]));
    assert_eq!(of(&listed(11, &[1], 10, Value::Fixed64(1.0f64.to_le_bytes()))), values(&1.0f64.to_le_bytes()));
    // Three elements of four bits in two bytes.
    assert_eq!(of(&listed(22, &[3], 5, packed(&[0x21, 0x03]))), values(&[0x21, 0x03]));
    assert_eq!(of(&listed(8, &[1], 6, text("a text"))), Data::Texts(vec!["a text".into()]));
    assert_eq!(of(&listed(1, &[0, 3], 4, Value::Bytes(vec![]))), values(&[]));
    let many: Vec<f32> = (0..300).map(|i| i as f32).collect();
    let long = listed(1, &[300], 4, Value::Bytes(f32_bytes(&many)));
    assert!(matches!(of(&long), Data::Range(_)), "floats in one piece lie in the file as raw data does");
    assert_eq!(parsed(&long).graph.require("codes").unwrap().bytes(&long.bytes()), Some(&f32_bytes(&many)[..]));
}

#[test]
fn bytes_may_come_in_any_pieces_and_data_may_be_left_out() {
    let bytes = sound().bytes();
    let model = Model::parse(&bytes).unwrap();
    for piece in [1, 2, 3, 7, 100, 1000, bytes.len()] {
        for file_len in [None, Some(bytes.len() as u64)] {
            let mut reader = Reader::new(file_len).unwrap();
            let mut fed = 0;
            while (reader.position() as usize) < bytes.len() {
                let at = reader.position() as usize;
                let end = bytes.len().min(at + piece);
                reader.feed(at as u64, &bytes[at..end]).unwrap();
                fed += end - at;
            }
            assert_eq!(reader.finish().unwrap(), model);
            assert!(fed < bytes.len() || piece > 100, "{fed} of {} bytes", bytes.len());
            // From the start to the end, with nothing left out.
            let mut reader = Reader::new(file_len).unwrap();
            for (i, part) in bytes.chunks(piece).enumerate() {
                reader.feed((i * piece) as u64, part).unwrap();
            }
            assert_eq!(reader.finish().unwrap(), model);
        }
    }
    let error = Reader::new(None).unwrap().feed(1, &bytes).unwrap_err();
    assert_eq!(error.code(), "INTERNAL");
}

#[test]
fn errors_name_what_they_are_about() {
    let negative = with_tensor(0, |t| t.set(1, packed(&[24, -24])));
    let says = "the graph: initializer 0 'big': the tensor has a dimension of -24, 0 or more is allowed";
    assert_eq!(error(&negative), ("MALFORMED_ONNX", says.into()));
    let deep = with_node(3, |n| n.nth(ATTRIBUTE, 1).nth(6, 0).nth(NODE, 0).set(4, text("")));
    let says = "the graph: node 3 '/If': attribute 'else_branch': node 0 '/Identity': the node has no operator";
    assert_eq!(error(&deep).1, says);
    let short = with_tensor(0, |t| t.set(1, packed(&[24, 25])));
    let says = "the graph: initializer 0 'big': the tensor has 2304 bytes of data, FLOAT of shape [24, 25] takes 2400";
    assert_eq!(error(&short).1, says);
    let sparse = with_graph(|g| g.add(15, inner(vec![])));
    let says = "the graph: the graph has 1 sparse initializers, dense ones are supported";
    assert_eq!(error(&sparse), ("UNSUPPORTED_ARCHITECTURE", says.into()));
    let long =
        with_node(0, |n| n.set(3, text(&"x".repeat(10_000)))).edit(|m| m.nth(GRAPH, 0).nth(NODE, 0).set(4, text("")));
    assert!(error(&long).1.len() < 400);
}

#[test]
fn data_in_another_file_is_named() {
    let external = |entries: Vec<(u32, Value)>| {
        with_tensor(0, |t| {
            t.remove(9);
            t.add(14, int(1));
            t.add(13, Value::Message(message(entries)));
        })
    };
    let model = parsed(&external(vec![(1, text("location")), (2, text("big.bin"))]));
    assert_eq!(model.graph.require("big").unwrap().data, Data::External("big.bin".into()));
    assert!(error(&external(vec![(1, text("offset")), (2, text("0"))])).1.contains("'external_data' does not name"));
    let error = Converter::new(&model, &[]).bytes("big").unwrap_err();
    assert_eq!(error.to_string(), "the data of 'big' is in 'big.bin', data in the same file is supported");
}

#[test]
fn graphs_inside_graphs_are_read_to_a_depth() {
    assert_eq!(parsed(&nested(16)).graph.all().len(), 16);
    assert_eq!(error(&nested(17)).1, "a graph is inside 16 others, 15 are allowed");
    assert_eq!(error(&nested(1000)).0, "MALFORMED_ONNX");
}

/// A tensor of bytes, as INT8 or UINT8.
fn codes(name: &str, ty: i64, dims: &[i64], codes: &[u8]) -> Value {
    inner(vec![(1, packed(dims)), (2, int(ty)), (8, text(name)), (9, Value::Bytes(codes.into()))])
}

/// A model of quantised weights: `w` (INT8, 2 x 3) with a scale a column, `u` (UINT8, 2 x 1 x 2) with one of the tensor.
fn quantized_model() -> Message {
    let mut graph = Message::default();
    let dynamic = node("DynamicQuantizeLinear", &["x"], &["xq", "xs", "xz"], vec![]);
    let product = node("MatMulInteger", &["xq", "w", "xz", "w_zero_point"], &["y"], vec![]);
    let conv = node("ConvInteger", &["xq", "u", "xz", "u_zero_point"], &["z"], vec![]);
    for n in [dynamic, product, conv] {
        graph.add(NODE, Value::Message(n));
    }
    for t in [
        codes("w", 3, &[2, 3], &[1, 2, 3, 0xff, 0xfe, 0xfd]),
        codes("w_zero_point", 3, &[3], &[0; 3]),
        Value::Message(floats("w_scale", &[3], &[0.5, 0.25, 2.0])),
        codes("u", 2, &[2, 1, 2], &[0, 128, 200, 255]),
        codes("u_zero_point", 2, &[], &[130]),
        Value::Message(floats("u_scale", &[], &[0.125])),
    ] {
        graph.add(INITIALIZER, t);
    }
    graph.add(11, Value::Message(port("x", 1, vec![])));
    message(vec![(1, int(8)), (GRAPH, Value::Message(graph)), (8, inner(vec![(2, int(17))]))])
}

#[test]
fn quantised_weights_are_counted() {
    let [product, conv, dynamic] = &parsed(&quantized_model()).quantized()[..] else { panic!("three operators") };
    assert_eq!(
        (product.operator.as_str(), product.nodes, product.weights, product.parameters),
        ("MatMulInteger", 1, 1, 6)
    );
    assert_eq!(product.scales, Scales { column: 1, ..Scales::default() });
    assert_eq!((conv.operator.as_str(), conv.types["UINT8"]), ("ConvInteger", 1));
    assert_eq!(conv.scales, Scales { tensor: 1, ..Scales::default() });
    assert_eq!((dynamic.operator.as_str(), dynamic.nodes, dynamic.weights), ("DynamicQuantizeLinear", 1, 0));
}

#[test]
fn quantised_weights_keep_their_codes() {
    use crate::formats::gguf::{GgmlType, GgufWriter, Parsed, parse};
    let file = quantized_model().bytes();
    let model = Model::parse(&file).unwrap();
    let mut converter = Converter::new(&model, &file);
    let item = Item { from: "w", to: "layer.weight", ty: GgmlType::I8, axes: &[1, 0], shape: &[3, 2] };
    converter.copy_quantized(&item, "w_scale", Some("w_zero_point")).unwrap();
    let item = Item { from: "u", to: "conv.weight", ty: GgmlType::I8, axes: &[], shape: &[2, 2] };
    converter.copy_quantized(&item, "u_scale", Some("u_zero_point")).unwrap();
    let written = converter.finish(GgufWriter::default().string("general.architecture", "tiny")).unwrap();
    let Parsed::Done { gguf, .. } = parse(written.clone(), Some(written.len() as u64)).unwrap() else {
        panic!("whole")
    };
    let names: Vec<&str> = gguf.tensors.iter().map(|t| t.name.as_str()).collect();
    let all = ["layer.weight", "layer.weight_scale", "conv.weight", "conv.weight_scale", "conv.weight_zero"];
    assert_eq!(names, all, "a zero point of 0 is left out");
    let bytes = |name: &str| {
        let range = gguf.require(name).unwrap().file_range.clone();
        written[range.start as usize..range.end as usize].to_vec()
    };
    assert_eq!(bytes("layer.weight"), [1, 0xff, 2, 0xfe, 3, 0xfd]);
    assert_eq!(bytes("layer.weight_scale"), f32_bytes(&[0.5, 0.25, 2.0]));
    // Codes and their zero point are 128 less.
    assert_eq!(bytes("conv.weight").iter().map(|&v| v as i8).collect::<Vec<_>>(), [-128, 0, 72, 127]);
    assert_eq!(bytes("conv.weight_zero"), [2]);
    assert_eq!(gguf.require("conv.weight").unwrap().shape, [2, 2]);
}

#[test]
fn what_does_not_fit_is_not_converted() {
    use crate::formats::gguf::GgmlType;
    let file = quantized_model().bytes();
    let model = Model::parse(&file).unwrap();
    let item = Item { from: "w", to: "x", ty: GgmlType::I8, axes: &[], shape: &[2, 3] };
    let error = |item: Item<'_>| Converter::new(&model, &file).copy(&item).unwrap_err().to_string();
    assert_eq!(error(Item { from: "v", ..item }), "tensor 'v' is missing from the file");
    assert_eq!(error(Item { ty: GgmlType::F32, ..item }), "tensor 'w' has type INT8, F32 is needed for 'x'");
    let says = "tensor 'w' has shape [2, 3], whose axes [0, 1] are not the shape [3, 2] of 'x'";
    assert_eq!(error(Item { shape: &[3, 2], ..item }), says);
    for axes in [&[0, 0][..], &[0], &[0, 2], &[1, 0]] {
        assert!(error(Item { axes, ..item }).contains("whose axes"), "{axes:?}");
    }
    let mut converter = Converter::new(&model, &file);
    let says = "'u' has 4 elements, 1 or as many as an axis of [2, 3] are needed";
    assert_eq!(converter.copy_quantized(&item, "u", None).unwrap_err().to_string(), says);
    let says = "'u_zero_point' has type UINT8, INT8 is needed as of 'w'";
    assert_eq!(converter.copy_quantized(&item, "w_scale", Some("u_zero_point")).unwrap_err().to_string(), says);
}
