// Every call of the API, as a TypeScript program makes it. Compiled, not run.
import {
  Chat,
  Model,
  Tokenizer,
  canRun,
  inspect,
  isWebggufError,
  listCached,
  loadModel,
  loadTokenizer,
  persist,
  removeCached,
  type Activation,
  type CachedModel,
  type CanRun,
  type ErrorCode,
  type GenerateOptions,
  type GenerateStats,
  type HubOptions,
  type LoadOptions,
  type Message,
  type MetadataValue,
  type ModelFile,
  type ModelInfo,
  type Progress,
  type ReplyPart,
  type Source,
  type Tool,
  type WebggufError,
  type WorkerModel,
} from 'webgguf';
import wasmUrl from 'webgguf/webgguf_bg.wasm';

const advice: Partial<Record<ErrorCode, string>> = {
  NO_WEBGPU: 'Try another browser.',
  OUT_OF_GPU_MEMORY: 'Try a smaller model.',
};

async function chooseFile(): Promise<Source> {
  const input = document.querySelector<HTMLInputElement>('input[type=file]');
  return input?.files?.[0] ?? new URL('https://example.com/model.gguf');
}

export async function main(): Promise<void> {
  const controller = new AbortController();
  const options: LoadOptions = {
    contextLength: 2048,
    signal: controller.signal,
    onProgress({ phase, fraction, loaded, total, layer }: Progress) {
      console.log(fraction);
      if (phase === 'weights') console.log(`${loaded} of ${total} bytes, layer ${layer ?? 'none'}`);
    },
    wasmUrl,
    workerUrl: new URL('https://example.com/worker.js'),
    profile: undefined,
    cache: true,
    retry: { attempts: 3, baseDelayMs: 100, stallMs: 10_000 },
  };
  try {
    const answer: CanRun = await canRun('/model.gguf', { contextLength: 8192, kvCache: 'f16', memoryBudget: Infinity });
    if (!answer.fits) console.log(answer.reason, answer.needs.total, answer.limit ?? 0);
    options.contextLength = answer.contextLength ?? 512;
    const model: Model = await loadModel(await chooseFile(), { ...options, worker: false });
    const info: ModelInfo = model.info;
    console.log(info.name ?? info.architecture, info.gpu.adapter, info.memory.weights + info.memory.kvCache);

    const ids: number[] = [];
    const sampling: GenerateOptions = {
      maxTokens: 64,
      temperature: 0.8,
      topK: 40,
      topP: 0.95,
      minP: 0.05,
      repeatPenalty: 1.1,
      seed: 7,
      stop: ['\n\n', 'END'],
      showSpecial: true,
      parseSpecial: false,
      ignoreEnd: false,
      signal: controller.signal,
      onToken: (id) => ids.push(id),
    };
    let text = '';
    for await (const piece of model.generate('Once upon a time', sampling)) text += piece;
    for await (const piece of model.generate(ids, { stop: '.' })) text += piece.toUpperCase();
    const stats: GenerateStats = model.stats;
    if (stats.finishReason === 'length') console.log(stats.decodePerSecond.toFixed(1));

    const tokens: Uint32Array = model.tokenize(text, { addSpecial: true, parseSpecial: false });
    console.log(model.detokenize(tokens, { showSpecial: true }), model.detokenize([1, 2, 3]));

    const messages: Message[] = [{ role: 'user', content: 'Hi' }];
    const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
    const formatted: string = model.formatChat(messages, { addGenerationPrompt: false, tools, variables: { enable_thinking: false } });
    const chatIds: Uint32Array = model.tokenizeChat(messages, { tools });
    for await (const piece of model.generate(chatIds, { maxTokens: 1, showSpecial: true })) console.log(piece);
    const chat: Chat = model.chat({
      system: 'Be brief.',
      tools,
      variables: { enable_thinking: false },
      overflow: 'drop-oldest',
      onDrop: (m) => console.log(m.length),
      temperature: 0.2,
      maxTokens: undefined,
    });
    for await (const piece of chat.send('Hello', { maxTokens: 10, keepMessage: false, onQueue: (n) => console.log(n) })) text += piece;
    const toolsOfRun: Record<string, Tool> = {
      add: { description: 'Adds.', parameters: { type: 'object', properties: { a: { type: 'number' } } }, execute: ({ a }, { id, name, signal }) => `${a} ${id} ${name} ${signal?.aborted}` },
    };
    const parts: AsyncGenerator<ReplyPart, void, void> = chat.stream('Hello', { toolChoice: { name: 'f' }, maxReasoningTokens: 5, maxTokens: 9 });
    for await (const part of parts) {
      if (part.type === 'text' || part.type === 'reasoning') text += part.delta;
      else if (part.type === 'tool-call') console.log(part.id, part.name, part.arguments['a']);
      else if (part.type === 'invalid-tool-call') console.log(part.text, part.reason);
      else console.log(part.finishReason === 'tool-calls');
    }
    for await (const part of chat.run('Hello', { tools: toolsOfRun, maxSteps: 2, toolChoice: 'required' })) {
      if (part.type === 'tool-result') console.log(part.id, part.name, part.result, part.isError);
    }
    const fork: Chat = chat.fork();
    fork.reset();
    const counted: number = model.count('Hello', { addSpecial: true }) + model.count(fork.messages, { tools });
    console.log(counted, model.isLoaded, model.pending);
    for await (const piece of chat.send({ role: 'tool', content: '5', name: 'f' })) text += piece;
    chat.messages.push({ role: 'user', content: [{ type: 'text', text: formatted }] });
    for await (const piece of chat.send()) text += piece;
    const tokenizer: Tokenizer = await loadTokenizer('/model.gguf', { signal: controller.signal });
    console.log(tokenizer.tokenize(text).length, tokenizer.info.chatTemplates, tokenizer.formatChat(chat.messages));

    const [prefill]: Activation[][] = await model.captureActivations(tokens, { decodeSteps: 2, signal: controller.signal });
    const logits: Float32Array | undefined = prefill?.find((a) => a.name === 'result_output')?.data;
    console.log(logits?.length);
    model.destroy();

    const file: ModelFile = await inspect('/model.gguf', { signal: controller.signal });
    const value: MetadataValue | undefined = file.metadata['general.architecture'];
    console.log(file.tensors.map(({ shape, bytes }) => shape.length * bytes), file.memory?.total, typeof value === 'string' ? value : 0);
    const hub: HubOptions = { url: 'https://mirror.example', token: 'hf_x' };
    console.log((await loadTokenizer('hf:a/b:Q4_K_M', { hub, cache: false })).info.endTokens, await removeCached('hf:a/b:Q4_K_M', { hub }));

    const away: WorkerModel = await loadModel(['a.gguf', new Blob()], { worker: true });
    for await (const piece of away.generate(await away.tokenize('Once'))) text += await away.detokenize([piece.length]);
    const cached: CachedModel[] = await listCached();
    for (const { url, complete } of cached) if (!complete) await removeCached(url);
    console.log(await persist(), away.info.cache.kind, away.stats.gpuBytes);
    console.log(await away.count('Once'));
    away.unload();
  } catch (e) {
    if (!isWebggufError(e)) throw e;
    const { code, message }: WebggufError = e;
    console.error(code, message, advice[code]);
  }
}

import { loadVad, type HeardFrame, type SpeechSegment } from 'webgguf/speech';

export async function listen(recording: Float32Array): Promise<SpeechSegment[]> {
  const vad = await loadVad(undefined, { threshold: 0.6, signal: AbortSignal.timeout(10_000) });
  const { probability, isSpeech }: HeardFrame = vad.isSpeech(recording.subarray(0, vad.info.samplesPerFrame));
  console.log(probability, isSpeech, vad.info.sampleRate);
  vad.reset();
  const segments = await vad.segments(recording, { minSpeechMs: 100, minSilenceMs: 500, padMs: 0 });
  vad.destroy();
  return segments;
}

import { loadHands, type Hand, type Hands } from 'webgguf/hands';

export async function follow(video: HTMLVideoElement, draw: (points: Hand['landmarks']) => void): Promise<Hands> {
  const hands = await loadHands(undefined, { maxHands: 1, smoothing: { minCutoff: 1 }, onProgress: ({ fraction }) => console.log(fraction) });
  hands.on('devicelost', () => void hands.recover());
  for (const hand of await hands.detect(video, { timestamp: video.currentTime * 1e3 })) draw(hand.landmarks);
  const found: Hand | undefined = (await hands.detect(new ImageData(1, 1), { tracking: true, signal: AbortSignal.timeout(100) }))[0];
  console.log(found?.handedness, found?.worldLandmarks[8]?.z, hands.stats.landmarksMs, hands.info.palms.variant);
  hands.reset();
  return hands;
}

import { loadEmbedder, similarity, type EmbedderInfo } from 'webgguf/embed';

export async function nearest(question: string, texts: readonly string[]): Promise<string | undefined> {
  const embedder = await loadEmbedder('/minilm.gguf', { contextLength: 256, onProgress: ({ fraction }) => console.log(fraction) });
  embedder.on('devicelost', () => void embedder.recover());
  const { dimensions, pooling }: Readonly<EmbedderInfo> = embedder.info;
  const asked: Float32Array = await embedder.embed(question, { prefix: 'query', signal: AbortSignal.timeout(1000) });
  const vectors = await embedder.embed(texts, { prefix: 'passage: ', dimensions, normalize: true, truncate: true, onProgress: ({ done, total }) => console.log(done / total) });
  const near = vectors.map((vector) => similarity(asked, vector));
  console.log(pooling, embedder.count(question, { prefix: 'query' }));
  embedder.destroy();
  return texts[near.indexOf(Math.max(...near))];
}

import { loadPhonemizer, loadSpeech, toWav, type Utterance } from 'webgguf/speech';

export async function read(text: string, play: (part: Utterance) => void) {
  const speech = await loadSpeech('/kokoro.gguf', { voices: '/voices.gguf', onProgress: ({ fraction }) => console.log(fraction) });
  speech.on('devicelost', () => void speech.recover());
  for await (const part of speech.stream(text, { voice: speech.voices[0], speed: 1.2, signal: AbortSignal.timeout(10_000) })) play(part);
  const whole = await speech.synthesize({ phonemes: 'həlˈO' }, { voice: { first: 2, second: 1 } });
  const file: Blob = toWav(whole);
  console.log(file.size, whole.parts[0]?.durations[0], speech.stats?.audioMs, speech.info.memory.weights);
  const { phonemes, words, dropped } = (await loadPhonemizer()).phonemize(text);
  console.log(phonemes, words[0]?.source, dropped.length);
  speech.destroy();
}

import { APIError, createFetch, openai, type ChatCompletionChunk } from 'webgguf/openai';

export async function complete(model: Model, show: (chunk: ChatCompletionChunk) => void): Promise<string | null> {
  const client = openai(model);
  try {
    const body = { messages: [{ role: 'user', content: 'Hi' }], temperature: 0 } as const;
    for await (const chunk of await client.chat.completions.create({ ...body, stream: true, stream_options: { include_usage: true } })) show(chunk);
    const { choices, usage } = await client.chat.completions.create({ ...body, response_format: { type: 'json_object' } });
    console.log(usage.completion_tokens, await createFetch(model)('https://webgguf.invalid/v1/models'));
    return choices[0]?.message.content ?? null;
  } catch (e) {
    if (e instanceof APIError) console.log(e.status, e.code, e.param);
    throw e;
  }
}

import { connect, type ServerModel } from 'webgguf';

export async function anywhere(url: string): Promise<string> {
  const found = await loadModel(url, { fallback: { baseURL: 'http://localhost:8080/v1', model: 'mine', retry: { attempts: 2 } } });
  if (found.info.backend === 'server') console.log(found.info.baseURL, found.info.contextLength);
  else console.log(found.info.layers);
  const server: ServerModel = await connect({ baseURL: new URL('http://localhost:8080/v1'), apiKey: 'key', signal: AbortSignal.timeout(1000) });
  let text = '';
  for (const model of [found, server]) for await (const piece of model.chat({ system: 'Be brief.' }).send('Hi')) text += piece;
  console.log(openai(server), await server.tokenize('x').catch(() => undefined));
  return text;
}
