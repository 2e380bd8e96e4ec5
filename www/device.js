// What a browser says about itself and the device, in a few words.

const BROWSERS = [
  ['Edge', /Edg\w*\/([\d.]+)/],
  ['Opera', /OPR\/([\d.]+)/],
  ['Samsung Internet', /SamsungBrowser\/([\d.]+)/],
  ['Firefox', /(?:Firefox|FxiOS)\/([\d.]+)/],
  ['Chrome', /(?:Chrome|CriOS)\/([\d.]+)/],
  ['Safari', /Version\/([\d.]+).*Safari/],
];
const SYSTEMS = [
  ['Android', /Android/],
  ['iOS', /iPhone|iPad|iPod/],
  ['Windows', /Windows/],
  ['macOS', /Macintosh/],
  ['ChromeOS', /CrOS/],
  ['Linux', /Linux/],
];

/** `Chrome 143` of a user agent; the whole where it is none of the known ones. */
export function browserName(userAgent) {
  for (const [name, pattern] of BROWSERS) {
    const version = pattern.exec(userAgent)?.[1];
    if (version) return `${name} ${version.split('.').slice(0, name === 'Safari' ? 2 : 1).join('.')}`;
  }
  return userAgent;
}

/** `Android`, `Windows` and so on. Tablets from Apple call themselves Macintosh. */
export function systemName(userAgent, touchPoints = 0) {
  const name = SYSTEMS.find(([, pattern]) => pattern.test(userAgent))?.[0] ?? 'unknown system';
  return name === 'macOS' && touchPoints > 1 ? 'iPadOS' : name;
}

/** This device: what the browser says about its system, memory and processor. */
export function device({ userAgent, maxTouchPoints, hardwareConcurrency, deviceMemory } = navigator) {
  const parts = [systemName(userAgent, maxTouchPoints), `${hardwareConcurrency} threads`];
  // Browsers that tell of memory name 8 GB at most, or 32.
  if (deviceMemory) parts.push(`${deviceMemory} GB or more`);
  return parts.join(', ');
}
