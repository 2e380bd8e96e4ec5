// Pieces of sound, played one after the other without a gap.

export class Player {
  #context;
  /** When the last piece ends, on the context's clock. */
  #end = 0;
  #playing = new Set();

  /** To be called in a click: phones let no page sound without one. */
  start() {
    this.#context ??= new AudioContext();
    this.#context.resume();
    this.#end = 0;
  }

  /** Play a piece after those before it. Returns a promise of its end. */
  play({ samples, sampleRate }) {
    const buffer = this.#context.createBuffer(1, samples.length, sampleRate);
    buffer.getChannelData(0).set(samples);
    const node = this.#context.createBufferSource();
    node.buffer = buffer;
    node.connect(this.#context.destination);
    const at = Math.max(this.#context.currentTime, this.#end);
    this.#end = at + buffer.duration;
    this.#playing.add(node);
    const ended = new Promise((resolve) => node.addEventListener('ended', resolve, { once: true }));
    node.start(at);
    return ended.finally(() => this.#playing.delete(node));
  }

  stop() {
    for (const node of this.#playing) node.stop();
  }
}
