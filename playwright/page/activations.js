// A capture against llama.cpp's reference. The format of references is documented in scripts/fixtures/dump_activations.py.
import { fetchNpy } from './npy.js';

/** Relative L2 that an f32 engine holds with room to spare. */
const TOLERANCE = 1e-4;

/** Errors of `got` against `want`; relative L2 is absolute where `want` is zero. */
export function compare(got, want) {
  let maxAbs = 0;
  let sumAbs = 0;
  let sumSq = 0;
  let wantSq = 0;
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(got[i] - want[i]);
    // A NaN must not be lost in a comparison.
    if (!(error <= maxAbs)) maxAbs = error;
    sumAbs += error;
    sumSq += error * error;
    wantSq += want[i] * want[i];
  }
  const relL2 = Math.sqrt(sumSq) / (Math.sqrt(wantSq) || 1);
  return { maxAbs, meanAbs: sumAbs / want.length, relL2 };
}

/**
 * The parts of a captured node and of its reference that face each other.
 * @param {{ shape: [number, number], data: Float32Array }} got
 * @param {{ shape: number[], data: Float32Array }} want  (T_kept, width), or scores: (H, T_kept, S)
 * @param {number[]} rows  the token rows that the reference keeps
 * @param {number} nTokens  of the batch
 */
export function align(got, want, rows, nTokens) {
  const [gotRows, gotWidth] = got.shape;
  const width = want.shape.at(-1);
  const heads = want.shape.length === 3 ? want.shape[0] : 1;
  const kept = rows.map((token, i) => ({ token, i }));
  // Of the output norm and the logits, only the last token's row is computed.
  const lastOnly = heads === 1 && gotRows === 1 && nTokens > 1;
  const faced = lastOnly ? kept.filter(({ token }) => token === nTokens - 1) : kept;
  if (faced.length === 0) throw new Error('the reference keeps no row that was computed');
  if (!lastOnly && gotRows !== heads * nTokens) throw new Error(`${gotRows} rows, not ${heads * nTokens}`);
  // Scores: the reference has columns for tokens to come, which are 0; the capture stops at the last one.
  if (heads === 1 ? gotWidth !== width : gotWidth > width) throw new Error(`${gotWidth} wide, not ${width}`);
  const left = [];
  const right = [];
  for (let head = 0; head < heads; head++) {
    for (const { token, i } of faced) {
      const row = lastOnly ? 0 : head * nTokens + token;
      const from = (head * rows.length + i) * width;
      for (let c = 0; c < width; c++) {
        left.push(c < gotWidth ? got.data[row * gotWidth + c] : 0);
        right.push(want.data[from + c]);
      }
    }
  }
  return [left, right];
}

/** Entry `i` of the first axis. */
function slice({ shape: [n, ...rest], data }, i) {
  const length = data.length / n;
  return { shape: rest, data: data.subarray(i * length, (i + 1) * length) };
}

function argmax(values) {
  return values.reduce((best, v, i) => (v > values[best] ? i : best), 0);
}

/**
 * Run a reference's prompt and compare every node of its index, each within `tolerance`.
 * @returns rows of the report: a checkpoint is a node of a layer in a phase; of decode, the worst step counts.
 */
export async function compareCase(model, url, tolerance = TOLERANCE) {
  const index = await (await fetch(`${url}index.json`)).json();
  const steps = await model.captureActivations(index.tokens, { decodeSteps: index.decoded.length });
  const nodes = steps.map((step) => new Map(step.map((a) => [a.name, a])));
  // The last step's choice is fed to nothing.
  const decoded = nodes.slice(0, -1).map((n) => argmax(n.get('result_output').data));
  const seen = new Set();
  const rows = [];
  for (const node of index.nodes) {
    const whole = await fetchNpy(`${url}${node.file}`);
    for (const [l, layer] of (node.layers ?? [null]).entries()) {
      const name = layer === null ? node.name : `${node.name}-${layer}`;
      seen.add(name);
      const row = { phase: node.phase, name, maxAbs: 0, meanAbs: 0, relL2: 0, problem: null };
      rows.push(row);
      const here = node.phase === 'prefill' ? [0] : index.decoded.map((_, i) => i + 1);
      for (const step of here) {
        const got = nodes[step].get(name);
        if (!got) {
          row.problem = 'missing';
          break;
        }
        const ofStep = node.phase === 'prefill' ? whole : slice(whole, step - 1);
        const want = layer === null ? ofStep : slice(ofStep, l);
        const nTokens = node.phase === 'prefill' ? index.tokens.length : 1;
        try {
          const errors = compare(...align(got, want, node.rows ?? [...Array(nTokens).keys()], nTokens));
          row.maxAbs = Math.max(row.maxAbs, errors.maxAbs);
          row.meanAbs += errors.meanAbs / here.length;
          row.relL2 = Math.max(row.relL2, errors.relL2);
        } catch (e) {
          row.problem = e.message;
        }
      }
      if (!row.problem && !(row.relL2 <= tolerance)) row.problem = `relative L2 above ${tolerance}`;
    }
  }
  const extra = [...new Set(nodes.flatMap((n) => [...n.keys()]))].filter((name) => !seen.has(name));
  const repeated = steps.flatMap((s) => s.map((a) => a.name).filter((name, i, all) => all.indexOf(name) !== i));
  return { rows, decoded, wantDecoded: index.decoded, extra, repeated: [...new Set(repeated)] };
}
