// Numbers as people read them.

const digits = (n) => (n >= 100 ? 0 : n >= 10 ? 1 : 2);

/** 3765536 is 3.77 MB. */
export function bytes(n) {
  if (n < 1e3) return `${n} B`;
  const [unit, size] = n >= 1e9 ? ['GB', 1e9] : n >= 1e6 ? ['MB', 1e6] : ['kB', 1e3];
  return `${(n / size).toFixed(digits(n / size))} ${unit}`;
}

/** 3476224 is 3.48 M. */
export function count(n) {
  const [unit, size] = n >= 1e9 ? [' B', 1e9] : n >= 1e6 ? [' M', 1e6] : ['', 1];
  return `${size === 1 ? n : (n / size).toFixed(digits(n / size))}${unit}`;
}

export function duration(ms) {
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(0)} ms`;
}

export function rate(perSecond) {
  return `${perSecond.toFixed(perSecond >= 100 ? 0 : 1)} tok/s`;
}
