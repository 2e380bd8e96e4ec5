// Hands on a canvas.

/** The bones, by the landmarks at their ends: the palm's edge, then each finger. */
const BONES = [
  [0, 1], [1, 2], [2, 3], [3, 4],
  [0, 5], [5, 6], [6, 7], [7, 8],
  [5, 9], [9, 10], [10, 11], [11, 12],
  [9, 13], [13, 14], [14, 15], [15, 16],
  [13, 17], [17, 18], [18, 19], [19, 20],
  [0, 17],
];
const COLOURS = { Left: '#f2b134', Right: '#4fc3a1' };

/** Draw what `detect` found over the picture of a canvas. */
export function drawHands(context, hands) {
  const { width, height } = context.canvas;
  const unit = Math.max(width, height) / 160;
  context.lineCap = 'round';
  for (const { landmarks, handedness } of hands) {
    const at = ({ x, y }) => [x * width, y * height];
    for (const [style, thickness] of [['#0009', 2], [COLOURS[handedness], 1]]) {
      context.strokeStyle = context.fillStyle = style;
      context.lineWidth = unit * thickness * 0.7;
      context.beginPath();
      for (const [from, to] of BONES) {
        context.moveTo(...at(landmarks[from]));
        context.lineTo(...at(landmarks[to]));
      }
      context.stroke();
      for (const point of landmarks) {
        context.beginPath();
        context.arc(...at(point), unit * (thickness + 1) * 0.5, 0, 2 * Math.PI);
        context.fill();
      }
    }
  }
}
