//! The networks for hands against LiteRT: every operator's output that is in memory after fusion, on seeded noise and on pictures.
//! `tests/fixtures/hands/` has samples of LiteRT's; `scripts/hands/references.py` says how they are drawn.

#[path = "common/data.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod data;
#[path = "common/pictures.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod pictures;
#[path = "common/shared.rs"]
mod shared;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use data::{Npy, repository};
use pictures::Rgb;
use pollster::block_on;
use serde_json::Value as Json;
use shared::shared;
use webgguf::Result;
use webgguf::formats::gguf::Gguf;
use webgguf::gpu::{Buffer, Gpu, Usage};
use webgguf::hands::convert::convert;
use webgguf::hands::glue::{Border, Crop, Letterbox, Picture, Region};
use webgguf::hands::{Act, Kind, Layer, Loaded, Network, Skip, Task, load};
use webgguf::load::read_header;
use webgguf::ops::{Image, Observer, Op, Recorder};
use webgguf::source::MemorySource;

/// What the references are of, in their order.
const INPUTS: [&str; 3] = ["noise", "four", "rock"];
/// Samples of an operator's output.
const VALUES: usize = 44;
const TOLERANCE: f64 = 1e-4;

/// xorshift32, as `scripts/hands/portable.py` has it.
struct Xorshift(u32);

impl Xorshift {
    fn new(seed: u32) -> Self {
        Xorshift((seed + 1).wrapping_mul(2_654_435_761))
    }

    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

fn places(seed: u32, n: usize, size: usize) -> Vec<usize> {
    let mut generator = Xorshift::new(seed);
    (0..n).map(|_| generator.next() as usize % size).collect()
}

fn noise(seed: u32, n: usize) -> Vec<f32> {
    let mut generator = Xorshift::new(seed);
    (0..n).map(|_| (generator.next() >> 8) as f32 / (1 << 24) as f32).collect()
}

/// What an input is, for the network of this kind: `None` where the pictures are not there.
fn input(name: &str, kind: &Kind, side: u32) -> Option<Vec<f32>> {
    if name == INPUTS[0] {
        return Some(noise(1, (side * side * 3) as usize));
    }
    let picture = Rgb::read(&shared(&format!("vision/hands/hand_{name}_crop.png"))?);
    let (width, height) = (picture.width as u32, picture.height as u32);
    let crop = match kind.task {
        Task::Palm => Letterbox::new(width, height).unwrap().crop(),
        Task::Landmark => {
            // The network of 2020 looks where the full pair does.
            let pair = if kind.variant == "lite" { "lite" } else { "full" };
            let file = repository().join(format!("tests/fixtures/hands/{pair}-{name}.json"));
            let reference: Json = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            let number = |i: usize| reference["photo"][0]["region"][i].as_f64().unwrap();
            let region =
                Region { x: number(0), y: number(1), width: number(2), height: number(3), rotation: number(4) };
            Crop { map: region.map(side), border: Border::Replicate, side }
        }
    };
    Some(Picture::new(width, height, &picture.rgba()).unwrap().sample(&crop))
}

/// What LiteRT computed.
struct Reference {
    number: u32,
    operator: String,
    /// Elements of the output.
    size: usize,
    /// For each input, norm and samples of the output.
    samples: Vec<Vec<f32>>,
}

/// The operators of a network.
fn references(network: &str) -> Vec<Reference> {
    let dir = repository().join("tests/fixtures/hands");
    let all: Json = serde_json::from_slice(&std::fs::read(dir.join("networks.json")).unwrap()).unwrap();
    let samples = Npy::read(&dir.join(format!("{network}.npy"))).data;
    let operators = all[network].as_array().unwrap();
    assert_eq!(samples.len(), INPUTS.len() * operators.len() * (1 + VALUES), "{network}");
    let of = |(i, operator): (usize, &Json)| Reference {
        number: operator[0].as_u64().unwrap() as u32,
        operator: operator[1].as_str().unwrap().to_owned(),
        size: operator[2].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).product(),
        samples: samples.chunks_exact(1 + VALUES).skip(i).step_by(operators.len()).map(<[f32]>::to_vec).collect(),
    };
    operators.iter().enumerate().map(of).collect()
}

/// Copies of what ops write, by name, taken within the plan that is to be tested: its images share buffers.
#[derive(Default)]
struct Copies(BTreeMap<String, (Image, Rc<Buffer>)>);

impl Observer for Copies {
    fn before(&mut self, _: &mut Recorder<'_>, _: &Op<'_>) -> Result<()> {
        Ok(())
    }

    fn after(&mut self, r: &mut Recorder<'_>, op: &Op<'_>) -> Result<()> {
        let Op::Image { name, y } = op else { panic!("an op of another family") };
        let bytes = u64::from(y.shape().places() * y.rows.stride()) * 4;
        let copy = r.gpu.buffer("copy", bytes, Usage::Storage)?;
        r.plan.copy(y.rows.buffer.clone(), copy.clone(), bytes);
        self.0.insert((*name).to_owned(), ((*y).clone(), copy));
        Ok(())
    }
}

/// The elements of an image, without padding.
fn elements(gpu: &Gpu, image: &Image, buffer: &Buffer) -> Vec<f32> {
    let stride = image.rows.stride() as usize;
    let rows: Vec<f32> = block_on(gpu.read(buffer, image.shape().places() as usize * stride)).unwrap();
    rows.chunks_exact(stride).flat_map(|row| row[..image.rows.width as usize].to_vec()).collect()
}

fn write(gpu: &Gpu, image: &Image, elements: &[f32]) {
    let (stride, width) = (image.rows.stride() as usize, image.rows.width as usize);
    let mut rows = vec![0f32; image.shape().places() as usize * stride];
    for (row, pixel) in rows.chunks_exact_mut(stride).zip(elements.chunks_exact(width)) {
        row[..width].copy_from_slice(pixel);
    }
    gpu.write(&image.rows.buffer, 0, &rows);
}

/// For each step whose output an operator has, too: the step, its columns, and the operator's place in the list. Steps and
/// operators are in the same order; what lies between is fused.
fn compared(kind: &Kind, references: &[Reference]) -> Vec<(String, std::ops::Range<usize>, usize)> {
    let (design, mut found, mut next) = (kind.design(), Vec::new(), 0);
    // The `n`-th operator of these from `start` on.
    let find = |start: usize, n: usize, names: &[&str]| {
        let mut all = (start..references.len()).filter(|&i| names.contains(&references[i].operator.as_str()));
        all.nth(n).unwrap_or_else(|| panic!("no {names:?} from operator {start} on"))
    };
    for (i, step) in design.steps.iter().enumerate() {
        // A convolution before an enlarged image's PReLU is behind the enlarging in the file.
        let moved = matches!(design.steps.get(i + 1), Some(s) if s.layer == Layer::Upsample && s.act == Act::Prelu);
        if moved {
            continue;
        }
        let channels = design.images[step.y].channels as usize;
        if step.heads.len() > 1 {
            let (start, mut column) = (next, 0);
            for (n, &head) in step.heads.iter().enumerate() {
                let sigmoid = matches!(step.act, Act::Sigmoid(m) if n < m as usize);
                let names: &[&str] = if sigmoid { &["LOGISTIC"] } else { &["CONV_2D", "FULLY_CONNECTED"] };
                let at = find(start, n, names);
                found.push((step.name.clone(), column..column + head as usize, at));
                (column, next) = (column + head as usize, next.max(at + 1));
            }
            continue;
        }
        let operator = match (step.layer, step.act, step.skip) {
            (Layer::Upsample, ..) => "ADD",
            (Layer::Mean, ..) => "MEAN",
            (_, Act::Prelu, _) => "PRELU",
            (_, Act::Relu, _) => "RELU",
            (_, _, Skip::Same(_) | Skip::Pooled(_)) => "ADD",
            (Layer::Depthwise { .. }, ..) => "DEPTHWISE_CONV_2D",
            _ => "CONV_2D",
        };
        let at = find(next, 0, &[operator]);
        found.push((step.name.clone(), 0..channels, at));
        next = at + 1;
    }
    found
}

/// Relative L2 error of the samples, and of the norm.
fn errors(got: &[f32], want: &Reference, input: usize) -> (f64, f64) {
    assert_eq!(got.len(), want.size, "operator {}", want.number);
    let (norm, values) = want.samples[input].split_first().unwrap();
    let square = |v: f64| v * v;
    let at = places(want.number, VALUES, want.size);
    let error: f64 = at.iter().zip(values).map(|(&i, &w)| square(f64::from(got[i]) - f64::from(w))).sum();
    let sampled: f64 = values.iter().map(|&w| square(w.into())).sum();
    let got_norm = got.iter().map(|&v| square(v.into())).sum::<f64>().sqrt();
    ((error / sampled.max(1e-30)).sqrt(), (got_norm / f64::from(*norm) - 1.0).abs())
}

fn opened(file: &MemorySource) -> Gguf {
    block_on(read_header(file, &())).unwrap().0
}

fn loaded(gpu: &Gpu, file: &MemorySource, task: Task) -> Loaded {
    let network = Network::of(&opened(file), task, gpu.caps.max_binding_bytes).unwrap().unwrap();
    let bytes = network.memory.bytes();
    let before = gpu.allocated_bytes();
    let mut loaded = block_on(load(gpu, file, vec![network], &())).unwrap();
    assert_eq!(gpu.allocated_bytes() - before, bytes, "what was counted is what is allocated");
    loaded.remove(0)
}

/// Compare a network with its references. How many weights, dispatches and operators with outputs there are is known.
fn check(name: &str, task: Task, n_weights: u64, n_dispatches: usize, n_compared: usize) {
    let Some(path) = shared(&format!("vision/{name}.tflite")) else { return };
    let file = MemorySource(convert(&[&std::fs::read(path).unwrap()]).unwrap());
    assert_eq!(opened(&file).n_params(), n_weights, "{name}");
    let gpu = block_on(Gpu::new()).unwrap();
    let hands = loaded(&gpu, &file, task);
    let network = &hands.network;
    let mut copies = Copies::default();
    let plan = network.record(&gpu, Some(&mut copies)).unwrap();
    let references = references(name);
    let compared = compared(network.kind, &references);
    let outputs = || network.outputs().iter().map(|y| elements(&gpu, y, &y.rows.buffer)).collect::<Vec<_>>();
    for (i, source) in INPUTS.iter().enumerate() {
        let Some(pixels) = input(source, network.kind, network.input().height) else { continue };
        write(&gpu, network.input(), &pixels);
        gpu.submit([&plan], 1, None);
        // Worst error and its operator.
        let (mut worst, mut worst_norm) = ((0.0, 0), (0.0, 0));
        for (step, columns, at) in &compared {
            let (image, copy) = &copies.0[step];
            let rows = elements(&gpu, image, copy);
            let rows = rows.chunks_exact(image.rows.width as usize);
            let got: Vec<f32> = rows.flat_map(|row| row[columns.clone()].to_vec()).collect();
            let want = &references[*at];
            let (error, norm) = errors(&got, want, i);
            assert!(
                error <= TOLERANCE && norm <= TOLERANCE,
                "{name} on {source}: {step} and operator {}: relative L2 {error:.1e}, of the norm {norm:.1e}, \
                 {TOLERANCE:.0e} is allowed",
                want.number
            );
            worst = if error > worst.0 { (error, want.number) } else { worst };
            worst_norm = if norm > worst_norm.0 { (norm, want.number) } else { worst_norm };
        }
        println!(
            "{name} on {source}: worst relative L2 {:.1e} (operator {}), of the norm {:.1e} (operator {})",
            worst.0, worst.1, worst_norm.0, worst_norm.1
        );
        // The plan that is replayed leaves the same outputs as the one that was watched.
        let watched = outputs();
        network.outputs().iter().for_each(|y| gpu.clear(&y.rows.buffer));
        hands.run(&gpu);
        assert!(outputs() == watched, "{name} on {source}: the second run differs");
    }
    let start = Instant::now();
    hands.run(&gpu);
    block_on(gpu.finish(true)).unwrap();
    let took = start.elapsed();
    let numbers: Vec<usize> = compared.iter().map(|c| c.2).collect();
    let mut hidden: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, r) in references.iter().enumerate().filter(|(i, _)| !numbers.contains(i)) {
        *hidden.entry(&r.operator).or_default() += 1;
    }
    println!(
        "{name}: {} of {} operators compared, inside fused kernels {hidden:?}; {} dispatches, {:.1} MB on the GPU, \
         {took:.1?} a run",
        compared.len(),
        references.len(),
        hands.plan.n_dispatches(),
        network.memory.bytes() as f64 / 1e6
    );
    assert_eq!((hands.plan.n_dispatches(), compared.len()), (n_dispatches, n_compared), "{name}");
}

#[test]
fn palm_lite() {
    check("palm_detection_lite", Task::Palm, 963_064, 53, 53);
}

#[test]
fn palm_full() {
    check("palm_detection_full", Task::Palm, 1_136_248, 63, 63);
}

#[test]
fn landmark_lite() {
    check("hand_landmark_lite", Task::Landmark, 1_011_712, 49, 52);
}

#[test]
fn landmark_full() {
    check("hand_landmark_full", Task::Landmark, 2_715_680, 49, 52);
}

#[test]
fn landmark_of_2020() {
    check("hand_landmark", Task::Landmark, 2_013_857, 92, 94);
}

/// One of each purpose makes a file, which has the same networks as files of their own; two of one are refused, and so is a
/// network that is not for hands.
#[test]
fn a_pair_is_one_file() {
    let names = ["palm_detection_lite", "hand_landmark_lite", "palm_detection_full", "face_detection_short_range"];
    let files: Option<Vec<Vec<u8>>> =
        names.map(|name| Some(std::fs::read(shared(&format!("vision/{name}.tflite"))?).unwrap())).into_iter().collect();
    let Some(files) = files else { return };
    let [palm, landmark, other, face] = [0, 1, 2, 3].map(|i| files[i].as_slice());
    let pair = MemorySource(convert(&[palm, landmark]).unwrap());
    let gguf = opened(&pair);
    assert_eq!(gguf.metadata.str("general.license").unwrap(), Some("Apache-2.0"));
    for (task, file, side) in [(Task::Palm, palm, 192), (Task::Landmark, landmark, 224)] {
        assert_eq!(gguf.metadata.u32(&Kind::key(task, "input_size")).unwrap(), Some(side));
        let alone = MemorySource(convert(&[file]).unwrap());
        for t in &opened(&alone).tensors {
            let bytes = |file: &MemorySource, gguf: &Gguf| {
                let range = gguf.require(&t.name).unwrap().file_range.clone();
                file.0[range.start as usize..range.end as usize].to_vec()
            };
            assert!(bytes(&pair, &gguf) == bytes(&alone, &opened(&alone)), "{}", t.name);
        }
        // What a tensor holds is what the file holds.
        let stem = gguf.require(&format!("{}.stem.weight", task.name())).unwrap().file_range.clone();
        let stem = &pair.0[stem.start as usize..stem.end as usize];
        assert!(file.windows(stem.len()).any(|bytes| bytes == stem), "the stem of {}", task.name());
    }
    let refused = |files: &[&[u8]]| convert(files).unwrap_err();
    let twice = refused(&[palm, other]);
    assert_eq!(twice.code(), "INVALID_ARGUMENT", "{twice}");
    let unknown = refused(&[face]);
    assert!(
        unknown.code() == "UNSUPPORTED_ARCHITECTURE" && unknown.to_string().contains("face detection"),
        "{unknown}"
    );
    let short = refused(&[&palm[..palm.len() / 2]]);
    assert_eq!(short.code(), "MALFORMED_TFLITE", "{short}");
}
