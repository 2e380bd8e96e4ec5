import type { Hands, HandsOptions, Source } from './engine/hands.js';

export * from './engine/hands.js';

/**
 * Load the networks that find hands: {{parameterCount}} parameters ({{types}}), {{size}}.
 *
 * ```ts
 * const hands = await loadHands();
 * for (const hand of await hands.detect(video)) draw(hand.landmarks);
 * ```
 *
 * `source` is where the weights are, if not where the package has them: {{weightsPlace}}.
 */
export function loadHands(options?: HandsOptions & { source?: Source }): Promise<Hands>;
