// Every call of the API, as a TypeScript program makes it. Compiled, not run.
import {
  Chat,
  Model,
  Tokenizer,
  canRun,
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
  type LoadOptions,
  type Message,
  type ModelInfo,
  type Progress,
  type Source,
  type WebggufError,
  type WorkerModel,
} from 'webgguf';

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
    onProgress({ phase, loaded, total, layer }: Progress) {
      if (phase === 'weights') console.log(`${loaded} of ${total} bytes, layer ${layer ?? 'none'}`);
    },
    wasmUrl: '/webgguf_bg.wasm',
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
    const formatted: string = model.formatChat(messages, { addGenerationPrompt: false, tools, enable_thinking: false });
    const chatIds: Uint32Array = model.tokenizeChat(messages, { tools });
    for await (const piece of model.generate(chatIds, { maxTokens: 1, showSpecial: true })) console.log(piece);
    const chat: Chat = model.chat({ system: 'Be brief.', tools, overflow: 'drop-oldest', onDrop: (m) => console.log(m.length) });
    for await (const piece of chat.send('Hello', { maxTokens: 10 })) text += piece;
    for await (const piece of chat.send({ role: 'tool', content: '5', name: 'f' })) text += piece;
    chat.messages.push({ role: 'user', content: [{ type: 'text', text: formatted }] });
    for await (const piece of chat.send()) text += piece;
    const tokenizer: Tokenizer = await loadTokenizer('/model.gguf', { signal: controller.signal });
    console.log(tokenizer.tokenize(text).length, tokenizer.info.chatTemplates, tokenizer.formatChat(chat.messages));

    const [prefill]: Activation[][] = await model.captureActivations(tokens, { decodeSteps: 2 });
    const logits: Float32Array | undefined = prefill?.find((a) => a.name === 'result_output')?.data;
    console.log(logits?.length);
    model.destroy();

    const away: WorkerModel = await loadModel(['a.gguf', new Blob()], { worker: true });
    for await (const piece of away.generate(await away.tokenize('Once'))) text += await away.detokenize([piece.length]);
    const cached: CachedModel[] = await listCached();
    for (const { url, complete } of cached) if (!complete) await removeCached(url);
    console.log(await persist(), away.info.cache.kind, away.stats.gpuBytes);
    away.destroy();
  } catch (e) {
    if (!isWebggufError(e)) throw e;
    const { code, message }: WebggufError = e;
    console.error(code, message, advice[code]);
  }
}
