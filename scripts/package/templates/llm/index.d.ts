import type { CanRun, CanRunOptions, FileOptions, LoadOptions, Model, Source, Tokenizer, WorkerModel } from './engine/index.js';

export * from './engine/index.js';

/** Where the weights are, if not where the package has them: {{weightsPlace}}. */
export interface WithSource {
  source?: Source;
}

/**
 * Load {{title}}: {{parameterCount}} parameters ({{types}}), {{size}}, up to {{contextLength}} tokens of context.
 *
 * ```ts
 * const model = await loadModel();
 * for await (const text of model.generate({{prompt}})) console.log(text);
 * ```
 */
export function loadModel(options: LoadOptions & WithSource & { worker: true }): Promise<WorkerModel>;
export function loadModel(options?: LoadOptions & WithSource & { worker?: false | undefined }): Promise<Model>;
export function loadModel(options?: LoadOptions & WithSource): Promise<Model | WorkerModel>;

/** Whether it would run here, before its weights are fetched. */
export function canRun(options?: CanRunOptions & WithSource): Promise<CanRun>;

/** Its tokenizer{{#hasChat}} and chat template{{/hasChat}} alone. No GPU is needed. */
export function loadTokenizer(options?: FileOptions & WithSource): Promise<Tokenizer>;
