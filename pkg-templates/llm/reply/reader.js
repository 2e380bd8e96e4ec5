// Text that comes in pieces. Who reads it is a generator that yields where the text is not enough to decide.

/** What is no call, whatever it began as. */
export class Broken extends Error {}

/** Characters of a string, or of a value that stands as it is, at most: what a model repeats without end is no call. */
const MAX_TEXT = 1 << 18;

const isBegin = (text, marker) => marker.length > text.length && marker.startsWith(text);

/** How much of a text can't be a part of a marker: its end may be the beginning of one. */
function safeLength(text, markers) {
  const longest = Math.max(...markers.map((marker) => marker.length));
  for (let at = Math.max(0, text.length - longest + 1); at < text.length; at++) {
    const end = text.slice(at);
    if (markers.some((marker) => isBegin(end, marker))) return at;
  }
  return text.length;
}

export class Reader {
  /** What came and was not taken yet. */
  rest = '';
  ended = false;
  /** What was taken since the last `record`. */
  recorded = '';

  push(piece) {
    this.rest += piece;
  }

  record() {
    this.recorded = '';
  }

  /** Take `n` characters. */
  take(n) {
    const taken = this.rest.slice(0, n);
    this.rest = this.rest.slice(n);
    this.recorded += taken;
    return taken;
  }

  /** Give back what was taken last. */
  back(text) {
    this.rest = text + this.rest;
    this.recorded = this.recorded.slice(0, -text.length);
  }

  /** Whether there are `n` characters. Waits for them. */
  *has(n) {
    while (this.rest.length < n && !this.ended) yield;
    return this.rest.length >= n;
  }

  /** Whether a marker is next. Waits until that is sure. */
  *sees(marker) {
    while (isBegin(this.rest, marker) && !this.ended) yield;
    return this.rest.startsWith(marker);
  }

  /** Take a marker, if it is next. */
  *accept(marker) {
    const sees = yield* this.sees(marker);
    if (sees) this.take(marker.length);
    return sees;
  }

  /** Take characters as long as each is one of `pattern`. */
  *run(pattern, limit = Infinity) {
    let text = '';
    while (yield* this.has(1)) {
      let n = 0;
      while (n < this.rest.length && pattern.test(this.rest[n])) n++;
      text += this.take(n);
      if (text.length > limit) throw new Broken(`more than ${limit} characters`);
      if (this.rest.length) break;
    }
    return text;
  }

  space() {
    return this.run(/\s/);
  }

  /**
   * Take the text before the first of the markers, and it. `hear` gets the text as soon as it is sure to be none. Returns the
   * marker, null at the end. Of two that begin alike, the longer one counts.
   */
  *until(markers, hear) {
    for (;;) {
      const { rest } = this;
      let at = Infinity;
      let found = null;
      for (const marker of markers) {
        const i = rest.indexOf(marker);
        if (i >= 0 && (i < at || (i === at && marker.length > found.length))) [at, found] = [i, marker];
      }
      if (found !== null && (this.ended || !markers.some((marker) => isBegin(rest.slice(at), marker)))) {
        if (at) hear(this.take(at));
        this.take(found.length);
        return found;
      }
      const sure = this.ended ? rest.length : found === null ? safeLength(rest, markers) : at;
      if (sure) hear(this.take(sure));
      if (this.ended) return null;
      yield;
    }
  }

  /** As `until`, for the inside of a call: the text before the marker, which must come. */
  *before(markers) {
    let text = '';
    const marker = yield* this.until(markers, (more) => {
      text += more;
      if (text.length > MAX_TEXT) throw new Broken(`more than ${MAX_TEXT} characters`);
    });
    if (marker === null) throw new Broken(`'${markers.join("' or '")}' is missing`);
    return { text, marker };
  }
}
