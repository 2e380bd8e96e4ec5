//! Kokoro's blocks against ONNX Runtime's, on its own inputs, and whole texts. The weights are not in the repository: the folder
//! `WEBGGUF_KOKORO` has `kokoro.gguf`, `voices.gguf`, `durations.json` and `references/`, as `scripts/speech/README.md` says; without it the tests are skipped.

#[path = "common/data.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod data;
#[path = "common/mel.rs"]
mod mel;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use data::{Npy, Rng, assert_close};
use webgguf::gpu::{Buffer, Gpu};
use webgguf::ops::{Curves, Length, Series};
use webgguf::source::FileSource;
use webgguf::speech::convert::convert;
use webgguf::speech::kokoro::{Held, Kokoro, Pass, Speech, Voices, frames, symbols, voices};

/// Relative L2 that a block may be off on ONNX Runtime's own inputs.
const TOLERANCE: f64 = 1e-4;

/// What a text takes, however long it is.
const DISPATCHES: usize = 339;

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("WEBGGUF_KOKORO").map(PathBuf::from);
    if folder.is_none() {
        println!("SKIP: WEBGGUF_KOKORO is not set");
    }
    folder
}

async fn load(folder: &Path) -> Kokoro {
    let file = FileSource::open(folder.join("kokoro.gguf")).unwrap();
    Kokoro::load(Gpu::new().await.unwrap(), &file, &()).await.unwrap()
}

/// Intermediates by name.
struct Reference {
    folder: PathBuf,
    read: std::cell::RefCell<HashMap<String, Rc<Vec<f32>>>>,
}

impl Reference {
    fn new(folder: &Path, text: &str) -> Self {
        Reference { folder: folder.join("references").join(text), read: Default::default() }
    }

    fn all(folder: &Path) -> Vec<Self> {
        let entries = std::fs::read_dir(folder.join("references")).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names.iter().map(|name| Self::new(folder, name)).collect()
    }

    fn name(&self) -> String {
        self.folder.file_name().unwrap().to_str().unwrap().to_owned()
    }

    fn get(&self, name: &str) -> Rc<Vec<f32>> {
        let read = || Rc::new(Npy::read(&self.folder.join(format!("{name}.npy"))).data);
        self.read.borrow_mut().entry(name.to_owned()).or_insert_with(read).clone()
    }

    fn tokens(&self) -> Vec<u32> {
        self.get("tokens").iter().map(|&v| v as u32).collect()
    }

    fn durations(&self) -> Vec<u32> {
        self.get("durations.rounded").iter().map(|&v| v as u32).collect()
    }
}

/// Runs blocks on a reference's inputs.
struct Blocks<'a> {
    kokoro: &'a Kokoro,
    reference: &'a Reference,
}

impl<'a> Blocks<'a> {
    fn upload(&self, p: &Pass<'_>, name: &str, width: u32) -> Held<Series> {
        let data = self.reference.get(name);
        let len = p.length(data.len() as u32 / width).unwrap();
        let s = p.series(&len, width).unwrap();
        let mut rows = vec![0f32; (len.rows * s.rows.stride()) as usize];
        for (to, from) in rows.chunks_exact_mut(s.rows.stride() as usize).zip(data.chunks_exact(width as usize)) {
            to[..width as usize].copy_from_slice(from);
        }
        self.kokoro.gpu.write(&s.rows.buffer, 0, &rows);
        s
    }

    fn curves(&self, p: &Pass<'_>) -> Curves {
        let (f0, noise) = (self.reference.get("f0"), self.reference.get("noise"));
        let both: Vec<f32> = f0.iter().zip(noise.iter()).flat_map(|(&a, &b)| [a, b]).collect();
        let len = p.length(f0.len() as u32).unwrap();
        Curves { values: self.kokoro.gpu.buffer_with("curves", &both).unwrap(), len }
    }

    async fn read(&self, p: Pass<'_>, y: &Series) -> Vec<f32> {
        let n = (y.len() * y.rows.stride()) as usize;
        let rows = self.kokoro.run(&p.finish(), &y.rows.buffer, n, &mut Default::default()).await.unwrap();
        let stride = y.rows.stride() as usize;
        rows.chunks_exact(stride).flat_map(|row| row[..y.width() as usize].to_vec()).collect()
    }

    async fn read_buffer(&self, p: Pass<'_>, y: &Rc<Buffer>, n: usize) -> Vec<f32> {
        self.kokoro.run(&p.finish(), y, n, &mut Default::default()).await.unwrap()
    }

    fn check(&self, name: &str, got: &[f32]) {
        self.check_within(name, got, TOLERANCE);
    }

    fn check_within(&self, name: &str, got: &[f32], tolerance: f64) {
        assert!(got.iter().all(|v| v.is_finite()), "{name}: not finite");
        let want: Vec<f64> = self.reference.get(name).iter().map(|&v| v.into()).collect();
        let e = assert_close(got, &want, tolerance, name);
        println!("{:12} {name:24} {e:.2e}", self.reference.name());
    }
}

#[pollster::test]
async fn blocks_are_those_of_onnx_runtime() {
    let Some(folder) = folder() else { return };
    let kokoro = load(&folder).await;
    for reference in &Reference::all(&folder) {
        let b = Blocks { kokoro: &kokoro, reference };
        let (w, g) = (&kokoro.weights, &kokoro.weights.generator);
        let tokens = reference.tokens();
        kokoro.set(&tokens, &reference.get("style")).unwrap();
        let (dec, pro) = (kokoro.decoder_styles(), kokoro.prosody_styles());
        let length = |p: &Pass<'_>, rows: usize| -> Length { p.length(rows as u32).unwrap() };

        let mut p = kokoro.pass();
        let x = b.upload(&p, "bert.embd_project", 768);
        let y = p.bert_layer(&x, &w.bert).unwrap();
        b.check("bert.layer0", &b.read(p, &y).await);

        let mut p = kokoro.pass();
        let y = p.series(&length(&p, tokens.len()), 512).unwrap();
        p.bert(kokoro.tokens(), &w.bert, &y).unwrap();
        b.check("bert", &b.read(p, &y).await);

        let mut p = kokoro.pass();
        let len = length(&p, tokens.len());
        let y = p.text_encoder(kokoro.tokens(), &len, &w.text_encoder).unwrap();
        b.check("text_encoder", &b.read(p, &y).await);

        let mut p = kokoro.pass();
        let bert = reference.get("bert");
        let d = p.series(&length(&p, tokens.len()), 640).unwrap();
        let rows: Vec<f32> = bert.chunks_exact(512).flat_map(|row| [row, &[0.0; 128]].concat()).collect();
        kokoro.gpu.write(&d.rows.buffer, 0, &rows);
        p.duration_encoder(&d, kokoro.style(), &w.duration, pro).unwrap();
        b.check("duration_encoder", &b.read(p, &d).await);

        let mut p = kokoro.pass();
        let d = b.upload(&p, "duration_encoder", 640);
        let sums = p.buffer(4 * tokens.len() as u64).unwrap();
        p.durations(&d, &w.duration, &sums).unwrap();
        b.check("durations", &b.read_buffer(p, &sums, tokens.len()).await);

        let mut p = kokoro.pass();
        let x = b.upload(&p, "frames", 640);
        let y = p.lstm("lstm", &x, &w.prosody.lstm).unwrap();
        b.check("prosody.lstm", &b.read(p, &y).await);

        for (name, blocks) in [("f0", &w.prosody.f0), ("noise", &w.prosody.noise)] {
            for (i, (block, width)) in blocks.iter().zip([512, 512, 256]).enumerate() {
                let mut p = kokoro.pass();
                let from = if i == 0 { "prosody.lstm".into() } else { format!("{name}.block{}", i - 1) };
                let x = b.upload(&p, &from, width);
                let y = p.block_of(name, &x, None, block, pro).unwrap();
                b.check(&format!("{name}.block{i}"), &b.read(p, &y).await);
            }
        }

        let mut p = kokoro.pass();
        let x = b.upload(&p, "frames", 640);
        let y = p.curves(&x, &w.prosody, pro).unwrap();
        let curves = b.read_buffer(p, &y.values, 2 * y.len.rows as usize).await;
        b.check("f0", &curves.iter().copied().step_by(2).collect::<Vec<_>>());
        b.check("noise", &curves.iter().copied().skip(1).step_by(2).collect::<Vec<_>>());

        let mut p = kokoro.pass();
        let x = b.upload(&p, "decoder.input", 514);
        let y = p.block_of("encode", &x, None, &w.decoder.encode, dec).unwrap();
        b.check("decoder.encode", &b.read(p, &y).await);

        let mut p = kokoro.pass();
        let text = b.upload(&p, "text", 512);
        let index = kokoro.gpu.buffer_with("rows", &(0..text.len()).collect::<Vec<_>>()).unwrap();
        let y = p.decoder(&text, &index, &b.curves(&p), &w.decoder, dec).unwrap();
        b.check("decoder", &b.read(p, &y).await);

        let mut p = kokoro.pass();
        let source = p.source(&b.curves(&p), g).unwrap();
        // The phases of the export are float32, and off by some thousandths.
        b.check_within("source", &b.read_buffer(p, &source, reference.get("source").len()).await, 5e-3);

        let mut p = kokoro.pass();
        let samples = reference.get("source");
        let source = kokoro.gpu.buffer_with("source", &samples).unwrap();
        let len = length(&p, samples.len());
        let y = p.series(&length(&p, samples.len() / 5 + 1), 22).unwrap();
        p.r.stft("stft", &source, &len, &g.window, &y).unwrap();
        check_spectrum(&b, &b.read(p, &y).await);

        for (i, from, width) in [(0, "decoder", 512), (1, "generator.stage0", 256)] {
            let mut p = kokoro.pass();
            let (x, har) = (b.upload(&p, from, width), b.upload(&p, "stft", 22));
            let y = p.stage(i, &x, &har, &g.stages[i], dec).unwrap();
            b.check(&format!("generator.stage{i}"), &b.read(p, &y).await);
        }

        let mut p = kokoro.pass();
        let x = b.upload(&p, "generator.stage1", 128);
        let y = p.post(&x, &g.post).unwrap();
        b.check("generator.post", &b.read(p, &y).await);

        let mut p = kokoro.pass();
        let x = b.upload(&p, "generator.post", 22);
        let audio = p.buffer(4 * samples.len() as u64).unwrap();
        p.r.istft("istft", &x, &g.basis, &g.window_sum, &audio).unwrap();
        b.check("audio", &b.read_buffer(p, &audio, samples.len()).await);
    }
}

/// Magnitudes, and phases where there is something that has one: of nothing, it is that of what rounding left.
fn check_spectrum(b: &Blocks<'_>, got: &[f32]) {
    let want = b.reference.get("stft");
    let parts = |data: &[f32]| -> Vec<f64> {
        let rows = data.chunks_exact(22);
        rows.flat_map(|r| {
            (0..11).flat_map(|i| [f64::from(r[11 + i]).cos(), f64::from(r[11 + i]).sin()].map(|v| v * f64::from(r[i])))
        })
        .collect()
    };
    let got: Vec<f32> = parts(got).iter().map(|&v| v as f32).collect();
    let e = assert_close(&got, &parts(&want), TOLERANCE, "stft");
    println!("{:12} {:24} {e:.2e}", b.reference.name(), "stft");
}

#[test]
fn the_export_is_converted_to_what_is_loaded() {
    let Some(folder) = folder() else { return };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    assert!(convert(&read("kokoro.onnx")).unwrap() == read("kokoro.gguf"));
    assert!(voices::convert(&read("voices_ja.npz")).unwrap() == read("voices.gguf"));
}

/// Whatever byte of its nodes is another one, an export is converted or refused.
#[test]
fn exports_that_are_malformed_are_refused() {
    let Some(folder) = folder() else { return };
    let mut file = std::fs::read(folder.join("kokoro.onnx")).unwrap();
    assert!(convert(&file[..file.len() / 2]).is_err(), "truncated");
    let mut rng = Rng(7);
    let mut refused = 0;
    for _ in 0..12 {
        // Nodes come before weights.
        let at = rng.next() as usize % 600_000;
        let byte = std::mem::replace(&mut file[at], rng.next() as u8);
        refused += u32::from(convert(&file).is_err());
        file[at] = byte;
    }
    println!("{refused} of 12 refused");
}

#[pollster::test]
async fn what_can_not_be_spoken_is_refused() {
    let Some(folder) = folder() else { return };
    let kokoro = load(&folder).await;
    let style = [0.1; 256];
    for (tokens, style, speed, says) in [
        (&[][..], &style[..], 1.0, "there are 0 tokens; 1 to 512 are allowed"),
        (&[0; 513], &style, 1.0, "there are 513 tokens"),
        (&[0, 178, 0], &style, 1.0, "a token is 178; 0 to 177 are allowed"),
        (&[0, 4, 0], &style[1..], 1.0, "the style has 255 numbers"),
        (&[0, 4, 0], &[f32::NAN; 256], 1.0, "256 finite ones are needed"),
        (&[0, 4, 0], &style, 0.0, "speed is 0; 0.25 to 4 are allowed"),
        (&[0, 4, 0], &style, f32::NAN, "speed is NaN"),
    ] {
        let error = kokoro.synthesize(tokens, style, speed).await.unwrap_err();
        assert_eq!(error.code(), "INVALID_ARGUMENT");
        assert!(error.to_string().contains(says), "{error}");
    }
}

/// A case of `durations.json`: a sentence by a voice.
#[derive(serde::Deserialize)]
struct Sentence {
    phonemes: String,
    voice: String,
    /// Of each token, before they are divided by the speed and rounded.
    frames: Vec<f32>,
    at: Vec<AtSpeed>,
}

#[derive(serde::Deserialize)]
struct AtSpeed {
    speed: f32,
    durations: Vec<u32>,
}

/// How far a number is from where it is rounded up.
fn from_half(frames: f32) -> f32 {
    (frames.fract() - 0.5).abs()
}

/// 20 sentences, 5 voices and 3 speeds. Of what differs it says how far ONNX Runtime's number is from where it would be rounded as ours.
#[pollster::test]
async fn durations_are_those_of_onnx_runtime() {
    let Some(folder) = folder() else { return };
    let kokoro = load(&folder).await;
    let file = FileSource::open(folder.join("voices.gguf")).unwrap();
    let voices = Voices::load(&kokoro.gpu, &file, &()).await.unwrap();
    let sentences: Vec<Sentence> =
        serde_json::from_slice(&std::fs::read(folder.join("durations.json")).unwrap()).unwrap();
    let (mut cases, mut n_tokens, mut unequal) = (0, 0, 0);
    let (mut farthest, mut nearest) = (0f32, f32::INFINITY);
    for s in &sentences {
        let tokens = symbols::tokens(&s.phonemes).unwrap();
        let style = voices.style(&s.voice, tokens.len() - 2).unwrap();
        let found = kokoro.durations(&tokens, style).await.unwrap();
        assert_eq!(found.len(), s.frames.len());
        println!("{:14} {} tokens", s.voice, tokens.len());
        farthest = found.iter().zip(&s.frames).map(|(a, b)| (a - b).abs()).fold(farthest, f32::max);
        for AtSpeed { speed, durations } in &s.at {
            let got = frames(&found, *speed).unwrap();
            cases += 1;
            n_tokens += got.len();
            nearest = s.frames.iter().map(|f| from_half(f / speed)).fold(nearest, f32::min);
            unequal += u32::from(got != *durations);
            for i in (0..got.len()).filter(|&i| got[i] != durations[i]) {
                let (ours, theirs) = (found[i] / speed, s.frames[i] / speed);
                let (voice, phonemes) = (&s.voice, &s.phonemes);
                println!(
                    "{voice} at {speed}, token {i} of {phonemes}: {ours} and {theirs}, {} from a half",
                    from_half(theirs)
                );
            }
        }
    }
    println!(
        "{cases} cases, {n_tokens} tokens: {unequal} cases differ; frames before rounding differ by {farthest:.1e} at most, \
         and one is {nearest:.1e} from a half"
    );
    assert!(cases >= 300 && unequal == 0, "{unequal} of {cases} cases differ");
}

#[pollster::test]
async fn texts_have_the_durations_and_the_spectrum_of_onnx_runtime() {
    let Some(folder) = folder() else { return };
    let kokoro = load(&folder).await;
    for reference in &Reference::all(&folder) {
        let speak = async || -> Speech {
            kokoro.synthesize(&reference.tokens(), &reference.get("style"), reference.get("speed")[0]).await.unwrap()
        };
        let speech = speak().await;
        assert_eq!(speech.durations, reference.durations(), "{}", reference.name());
        assert_eq!(speech.stats.dispatches, DISPATCHES);
        assert!(speech.samples.iter().all(|v| v.is_finite()));
        let again = speak().await;
        let bits = |s: &Speech| s.samples.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert!(bits(&speech) == bits(&again), "{}: two runs differ", reference.name());
        let (mean, worst) = mel::distance(&speech.samples, &reference.get("audio"), 24_000.0);
        println!(
            "{:12} {} frames, log-mel {mean:.3} dB, {worst:.3} at worst",
            reference.name(),
            speech.durations.iter().sum::<u32>()
        );
        println!("{:12} {:?}", "", speech.stats);
        assert!(mean <= 0.5, "{}: {mean} dB", reference.name());
    }
}
