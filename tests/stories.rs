use webgguf::gpu::{Gpu, State};
use webgguf::model::{LoadOptions, Model, arch, read_header};
use webgguf::source::FileSource;

#[test]
fn quick() {
    pollster::block_on(async {
        for ty in ["f32", "f16", "q8_0", "q4_0"] {
            let path = format!("../shared/data/llm/stories260K/stories260K-{ty}.gguf");
            let source = FileSource::open(path).unwrap();
            let gpu = Gpu::new().await.unwrap();
            println!("{:?}", gpu.caps);
            let gguf = read_header(&source, &()).await.unwrap();
            let config = arch::config(&gguf).unwrap();
            let t = std::time::Instant::now();
            let model = Model::load(gpu, &source, &gguf, config, &LoadOptions::default(), &()).await.unwrap();
            println!("load {:?} {} dispatches {:?}", t.elapsed(), model.decode_dispatches(), model.bytes);
            let read = model.gpu.readback(4);
            let mut ids: Vec<u32> = vec![1];
            let state = State { repeat_penalty: 1.0, ..State::default() };
            model.prefill(&[1], 0, state, &read).unwrap();
            let t = std::time::Instant::now();
            for _ in 0..200 {
                let p = model.gpu.map(&read);
                let id = model.gpu.read_with(&read, p, |b| u32::from_le_bytes(b.try_into().unwrap())).await.unwrap();
                ids.push(id);
                model.decode(&read);
            }
            println!("{:?}/token", t.elapsed() / 200);
            let want: serde_json::Value = serde_json::from_str(
                &std::fs::read_to_string("../shared/data/llm/stories260K/stories260K.greedy.json").unwrap(),
            )
            .unwrap();
            if ty == "f32" {
                println!("{}", serde_json::to_string(&want).unwrap()[..600].to_string());
            }
            println!("{ty} {ids:?}");
        }
    });
}
