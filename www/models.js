// The models that the page offers.

/** The page's own: it has read one book and goes on in that manner. */
export const EMBEDDED = {
  name: 'War and Peace',
  url: new URL('./models/embedded.gguf', import.meta.url).href,
  bytes: 3_765_536,
  parameters: '3.5 M',
  type: 'Q8_0',
  licence: 'MIT',
  note: 'Has read one book and goes on in its manner. Small enough to be here before you ask.',
};

/** A file of the Hugging Face hub. */
const hub = (repository, file, facts) => ({
  ...facts,
  hub: `hf:${repository}/${file}`,
  url: `https://huggingface.co/${repository}/resolve/main/${file}`,
});

/** Small models that chat, the smallest first. */
export const MODELS = [
  hub('bartowski/SmolLM2-135M-Instruct-GGUF', 'SmolLM2-135M-Instruct-Q4_K_M.gguf', {
    name: 'SmolLM2 135M',
    bytes: 105e6,
    parameters: '135 M',
    type: 'Q4_K_M',
    licence: 'Apache 2.0',
    note: 'The quickest way to a chat. It knows little.',
  }),
  hub('unsloth/gemma-3-270m-it-GGUF', 'gemma-3-270m-it-Q8_0.gguf', {
    name: 'Gemma 3 270M',
    bytes: 292e6,
    parameters: '268 M',
    type: 'Q8_0',
    licence: 'Gemma',
    note: 'Short answers and small tasks, in many languages.',
  }),
  hub('Qwen/Qwen3-0.6B-GGUF', 'Qwen3-0.6B-Q8_0.gguf', {
    name: 'Qwen3 0.6B',
    bytes: 639e6,
    parameters: '596 M',
    type: 'Q8_0',
    licence: 'Apache 2.0',
    note: 'Good for its size. It can think before it answers: see Settings.',
  }),
  hub('ggml-org/gemma-3-1b-it-GGUF', 'gemma-3-1b-it-Q4_K_M.gguf', {
    name: 'Gemma 3 1B',
    bytes: 806e6,
    parameters: '1 B',
    type: 'Q4_K_M',
    licence: 'Gemma',
    note: 'Writes well, in many languages.',
  }),
  hub('bartowski/Llama-3.2-1B-Instruct-GGUF', 'Llama-3.2-1B-Instruct-Q4_K_M.gguf', {
    name: 'Llama 3.2 1B',
    bytes: 808e6,
    parameters: '1.2 B',
    type: 'Q4_K_M',
    licence: 'Llama 3.2',
    note: 'An all-rounder that keeps to instructions.',
  }),
];

/** The model of an address, in either form; undefined where the page has no card for it. */
export const modelOf = (address) => [EMBEDDED, ...MODELS].find(({ url, hub }) => [url, hub].includes(address));

/** What to call a file, an address or a card. */
export function nameOf(source) {
  if (source instanceof File) return source.name;
  return modelOf(source)?.name ?? decodeURIComponent(source.replace(/[?#].*/, '').split('/').pop());
}
