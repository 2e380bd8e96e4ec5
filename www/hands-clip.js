// A clip to look at without a camera: a photograph that sways.

/** A turn of the clip, in seconds. */
const TURN_S = 6;

/** What draws the clip's frame of a time, in seconds, on a canvas. */
export async function openClip(address) {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  const context = canvas.getContext('2d');
  return {
    canvas,
    draw(seconds) {
      const phase = (seconds / TURN_S) * 2 * Math.PI;
      const { width, height } = canvas;
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.fillStyle = '#c4bcb2';
      context.fillRect(0, 0, width, height);
      context.translate(width / 2 + 0.05 * width * Math.sin(phase), height / 2 + 0.04 * height * Math.sin(2 * phase));
      context.rotate(0.12 * Math.sin(phase + 1));
      const scale = 0.92 + 0.1 * Math.cos(phase);
      context.scale(scale, scale);
      context.drawImage(picture, -width / 2, -height / 2);
    },
  };
}
