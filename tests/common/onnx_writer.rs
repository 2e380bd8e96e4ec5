//! Writes small ONNX files, well-formed or not. It knows nothing of the crate: unit tests share it.
#![allow(dead_code, reason = "each test uses some of it")]

/// What a field of a message holds.
#[derive(Clone, Debug)]
pub enum Value {
    Varint(u64),
    Fixed32([u8; 4]),
    Fixed64([u8; 8]),
    Bytes(Vec<u8>),
    Message(Message),
}

/// Fields by their number in the schema, in the order of writing.
#[derive(Clone, Debug, Default)]
pub struct Message(pub Vec<(u32, Value)>);

pub fn message(fields: Vec<(u32, Value)>) -> Message {
    Message(fields)
}

pub fn int(v: i64) -> Value {
    Value::Varint(v as u64)
}

pub fn text(v: &str) -> Value {
    Value::Bytes(v.into())
}

pub fn inner(fields: Vec<(u32, Value)>) -> Value {
    Value::Message(Message(fields))
}

pub fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

pub fn varint(mut v: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while v >= 0x80 {
        bytes.push(v as u8 | 0x80);
        v >>= 7;
    }
    bytes.push(v as u8);
    bytes
}

/// Numbers in one field.
pub fn packed(values: &[i64]) -> Value {
    Value::Bytes(values.iter().flat_map(|&v| varint(v as u64)).collect())
}

impl Message {
    /// The first field of this number set to the value, in place or at the end.
    pub fn set(&mut self, field: u32, value: Value) {
        match self.0.iter_mut().find(|(f, _)| *f == field) {
            Some((_, v)) => *v = value,
            None => self.0.push((field, value)),
        }
    }

    pub fn add(&mut self, field: u32, value: Value) {
        self.0.push((field, value));
    }

    pub fn remove(&mut self, field: u32) {
        self.0.retain(|(f, _)| *f != field);
    }

    /// The `i`-th message of a list.
    pub fn nth(&mut self, field: u32, i: usize) -> &mut Message {
        let found = self.0.iter_mut().filter(|(f, _)| *f == field).nth(i);
        match found {
            Some((_, Value::Message(message))) => message,
            other => panic!("field {field} {i} is {other:?}"),
        }
    }

    pub fn edit(mut self, change: impl FnOnce(&mut Message)) -> Message {
        change(&mut self);
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.written().bytes
    }

    pub fn written(&self) -> Written {
        let mut written = Written::default();
        for (field, value) in &self.0 {
            let wire = match value {
                Value::Varint(_) => 0,
                Value::Fixed64(_) => 1,
                Value::Bytes(_) | Value::Message(_) => 2,
                Value::Fixed32(_) => 5,
            };
            written.keys.push(written.bytes.len());
            written.bytes.extend(varint(u64::from(*field) << 3 | wire));
            match value {
                Value::Varint(v) => {
                    written.numbers.push(written.bytes.len());
                    written.bytes.extend(varint(*v));
                }
                Value::Fixed32(bytes) => written.bytes.extend(bytes),
                Value::Fixed64(bytes) => written.bytes.extend(bytes),
                Value::Bytes(bytes) => {
                    written.lengths.push((written.bytes.len(), bytes.len()));
                    written.bytes.extend(varint(bytes.len() as u64));
                    written.bytes.extend(bytes);
                }
                Value::Message(message) => {
                    let inner = message.written();
                    written.lengths.push((written.bytes.len(), inner.bytes.len()));
                    written.bytes.extend(varint(inner.bytes.len() as u64));
                    let start = written.bytes.len();
                    written.keys.extend(inner.keys.iter().map(|at| at + start));
                    written.numbers.extend(inner.numbers.iter().map(|at| at + start));
                    written.lengths.extend(inner.lengths.iter().map(|(at, n)| (at + start, *n)));
                    written.bytes.extend(inner.bytes);
                }
            }
        }
        written
    }
}

/// A message's bytes, and what in them can be broken.
#[derive(Default)]
pub struct Written {
    pub bytes: Vec<u8>,
    /// Where keys of fields begin.
    pub keys: Vec<usize>,
    /// Where values that are varints begin.
    pub numbers: Vec<usize>,
    /// Where lengths begin, and what they are.
    pub lengths: Vec<(usize, usize)>,
}

// Numbers of fields in the schema.
pub const GRAPH: u32 = 7;
pub const NODE: u32 = 1;
pub const INITIALIZER: u32 = 5;
pub const ATTRIBUTE: u32 = 5;

/// A tensor of FLOAT with raw data.
pub fn floats(name: &str, dims: &[i64], values: &[f32]) -> Message {
    message(vec![(1, packed(dims)), (2, int(1)), (8, text(name)), (9, Value::Bytes(f32_bytes(values)))])
}

pub fn node(operator: &str, inputs: &[&str], outputs: &[&str], attributes: Vec<Message>) -> Message {
    let mut node = Message::default();
    inputs.iter().for_each(|name| node.add(1, text(name)));
    outputs.iter().for_each(|name| node.add(2, text(name)));
    node.add(3, text(&format!("/{operator}")));
    node.add(4, text(operator));
    attributes.into_iter().for_each(|a| node.add(ATTRIBUTE, Value::Message(a)));
    node
}

/// `ty` is the attribute's type in the schema, `field` where its value is.
pub fn attribute(name: &str, ty: i64, field: u32, value: Value) -> Message {
    message(vec![(1, text(name)), (field, value), (20, int(ty))])
}

pub fn port(name: &str, ty: i64, dims: Vec<Vec<(u32, Value)>>) -> Message {
    let dims = dims.into_iter().map(|dim| (1, inner(dim))).collect();
    message(vec![(1, text(name)), (2, inner(vec![(1, inner(vec![(1, int(ty)), (2, inner(dims))]))]))])
}

/// A graph that gives one value, which `node` writes.
pub fn branch(name: &str, node: Message, output: &str) -> Value {
    inner(vec![(NODE, Value::Message(node)), (2, text(name)), (12, Value::Message(port(output, 1, vec![])))])
}

/// Elements of the initializer that is large enough to be skipped.
pub const BIG: usize = 24 * 24;

/// A matrix product with a big matrix, a bias, a constant, and a branch:
/// nodes 0 `MatMul`, 1 `Constant`, 2 `Add`, 3 `If`, 4 an operator of another domain;
/// initializers 0 `big` (FLOAT, raw), 1 `bias` (FLOAT, in a list), 2 `axes` (INT64, in a list), 3 `codes` (INT8, in a list),
/// 4 `condition` (BOOL, raw).
pub fn sound() -> Message {
    let values: Vec<f32> = (0..BIG).map(|i| i as f32 / 8.0).collect();
    let bias: Vec<f32> = (0..24).map(|i| i as f32).collect();
    let mut graph = Message::default();
    let small = message(vec![(2, int(1)), (4, Value::Fixed32(0.5f32.to_le_bytes()))]);
    let then = branch("then", node("Relu", &["sum"], &["left"], vec![]), "left");
    let other = branch("else", node("Identity", &["sum"], &["right"], vec![]), "right");
    let scale = attribute("alpha", 1, 2, Value::Fixed32(1.5f32.to_le_bytes()));
    for node in [
        node("MatMul", &["x", "big"], &["product"], vec![]),
        node("Constant", &[], &["small"], vec![attribute("value", 4, 5, Value::Message(small))]),
        node("Add", &["product", "bias"], &["sum"], vec![]),
        node(
            "If",
            &["condition"],
            &["chosen"],
            vec![attribute("then_branch", 5, 6, then), attribute("else_branch", 5, 6, other)],
        ),
        node(
            "Own",
            &["chosen", "", "small"],
            &["y"],
            vec![
                scale,
                attribute("count", 2, 3, int(-3)),
                attribute("mode", 3, 4, text("reflect")),
                attribute("pads", 7, 8, packed(&[1, -2, 300])),
                attribute("scales", 6, 7, Value::Bytes(f32_bytes(&[0.25, 4.0]))),
            ],
        )
        .edit(|n| n.add(7, text("example.own"))),
    ] {
        graph.add(NODE, Value::Message(node));
    }
    graph.add(2, text("tiny"));
    for tensor in [
        floats("big", &[24, 24], &values),
        message(vec![(1, packed(&[24])), (2, int(1)), (8, text("bias")), (4, Value::Bytes(f32_bytes(&bias)))]),
        message(vec![(1, int(2)), (2, int(7)), (7, int(-1)), (7, int(2)), (8, text("axes"))]),
        message(vec![(1, int(3)), (2, int(3)), (5, packed(&[-128, 0, 127])), (8, text("codes"))]),
        message(vec![(2, int(9)), (8, text("condition")), (9, Value::Bytes(vec![1]))]),
    ] {
        graph.add(INITIALIZER, Value::Message(tensor));
    }
    graph.add(11, Value::Message(port("x", 1, vec![vec![(2, text("batch"))], vec![(1, int(24))], vec![]])));
    graph.add(12, Value::Message(port("y", 1, vec![vec![(2, text("batch"))]])));
    // What begins with the graph has all of it before the last field, without which a file is no sound one.
    message(vec![
        (1, int(8)),
        (2, text("tests")),
        (3, text("1.0")),
        (14, inner(vec![(1, text("license")), (2, text("MIT"))])),
        (GRAPH, Value::Message(graph)),
        (8, inner(vec![(1, text("example.own")), (2, int(1))])),
        (8, inner(vec![(1, text("")), (2, int(17))])),
    ])
}

/// `sound` with another graph.
pub fn with_graph(change: impl FnOnce(&mut Message)) -> Message {
    sound().edit(|m| change(m.nth(GRAPH, 0)))
}

/// `sound` with another initializer.
pub fn with_tensor(i: usize, change: impl FnOnce(&mut Message)) -> Message {
    with_graph(|g| change(g.nth(INITIALIZER, i)))
}

/// `sound` with another node.
pub fn with_node(i: usize, change: impl FnOnce(&mut Message)) -> Message {
    with_graph(|g| change(g.nth(NODE, i)))
}

/// A model whose graph has a branch inside a branch, and so on, this many graphs deep.
pub fn nested(depth: usize) -> Message {
    let mut graph = message(vec![(2, text("innermost"))]);
    for _ in 1..depth {
        let node = node("Own", &[], &[], vec![attribute("body", 5, 6, Value::Message(graph))]);
        graph = message(vec![(NODE, Value::Message(node))]);
    }
    message(vec![(1, int(8)), (GRAPH, Value::Message(graph)), (8, inner(vec![(2, int(17))]))])
}

impl From<&Message> for Vec<u8> {
    fn from(message: &Message) -> Self {
        message.bytes()
    }
}
