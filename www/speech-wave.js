// The picture of a sound: for each column the lowest and the highest sample.

export function drawWave(canvas, pieces) {
  const { width, height } = canvas;
  const context = canvas.getContext('2d');
  context.clearRect(0, 0, width, height);
  context.fillStyle = getComputedStyle(canvas).color;
  const total = pieces.reduce((sum, { samples }) => sum + samples.length, 0);
  let before = 0;
  for (const { samples } of pieces) {
    const first = Math.floor((before / total) * width);
    const last = Math.floor(((before + samples.length) / total) * width);
    for (let x = first; x < last; x++) {
      const from = Math.floor(((x - first) / (last - first)) * samples.length);
      const to = Math.max(from + 1, Math.floor(((x + 1 - first) / (last - first)) * samples.length));
      let [low, high] = [0, 0];
      for (let i = from; i < to; i++) {
        low = Math.min(low, samples[i]);
        high = Math.max(high, samples[i]);
      }
      const y = (1 - Math.min(1, high)) * (height / 2);
      context.fillRect(x, y, 1, Math.max(1, (Math.min(1, high) - Math.max(-1, low)) * (height / 2)));
    }
    before += samples.length;
  }
}
