// A plot as SVG: speed by length, one curve. Lengths are on a logarithmic axis, as they double.

const NS = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [360, 220];
const [LEFT, RIGHT, TOP, BOTTOM] = [46, 14, 22, 40];

function element(name, attributes, text) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const short = (n) => (n >= 10_000 ? `${Math.round(n / 1000)}k` : n >= 1000 ? `${+(n / 1000).toFixed(1)}k` : `${Math.round(n)}`);

/** Round values from 0 to above `max`, three to six of them. */
function ticks(max) {
  const power = 10 ** Math.floor(Math.log10(max));
  const step = [0.2, 0.5, 1, 2].map((n) => n * power).find((n) => max / n <= 5);
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, i) => i * step);
}

/** A figure of points [length, tokens a second]; null where there are too few for a curve. */
export function plot(title, axis, points) {
  const sound = points.filter((p) => p.length === 2 && p.every((n) => Number.isFinite(n) && n > 0));
  if (sound.length < 2) return null;
  const lengths = sound.map(([n]) => n);
  const [low, high] = [Math.log2(Math.min(...lengths)), Math.log2(Math.max(...lengths))];
  const marks = ticks(Math.max(...sound.map(([, v]) => v)));
  const x = (n) => LEFT + ((Math.log2(n) - low) / (high - low || 1)) * (WIDTH - LEFT - RIGHT);
  const y = (v) => HEIGHT - BOTTOM - (v / marks.at(-1)) * (HEIGHT - TOP - BOTTOM);

  const words = sound.map(([n, v]) => `${n}: ${Math.round(v)}`).join('; ');
  const label = `${title}. ${axis}: tokens a second. ${words}`;
  const svg = element('svg', { class: 'plot', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label });
  for (const v of marks) {
    svg.append(element('line', { class: 'grid', x1: LEFT, x2: WIDTH - RIGHT, y1: y(v), y2: y(v) }));
    svg.append(element('text', { x: LEFT - 8, y: y(v) + 4, 'text-anchor': 'end' }, short(v)));
  }
  // As many lengths as there is room for, the last one among them.
  let right = Infinity;
  for (const n of lengths.toReversed()) {
    if (right - x(n) < 34) continue;
    right = x(n);
    svg.append(element('text', { x: x(n), y: HEIGHT - BOTTOM + 18, 'text-anchor': 'middle' }, n));
  }
  svg.append(element('text', { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 4, 'text-anchor': 'middle' }, axis));
  svg.append(element('polyline', { class: 'curve', points: sound.map(([n, v]) => `${x(n)},${y(v)}`).join(' ') }));
  for (const [n, v] of sound) {
    const dot = element('circle', { cx: x(n), cy: y(v), r: 4 });
    dot.append(element('title', {}, `${n}: ${v} tokens a second`));
    svg.append(dot);
  }
  // On the side of the curve's end that the curve does not come from.
  const [[, beforeV], [lastN, lastV]] = sound.slice(-2);
  svg.append(element('text', { class: 'value', x: x(lastN) + 4, y: y(lastV) + (beforeV > lastV ? 19 : -10), 'text-anchor': 'end' }, short(lastV)));

  const figure = document.createElement('figure');
  const caption = document.createElement('figcaption');
  caption.textContent = title;
  figure.append(caption, svg);
  return figure;
}
