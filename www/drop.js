// A file dropped anywhere on the page.

const hasFile = (event) => event.dataTransfer?.types.includes('Files');

/** Call `use` with a file that is dropped; `sign` is shown while one is over the page. */
export function acceptDrops(sign, use) {
  let depth = 0; // Each element that the file is moved over is entered and left.
  const moved = (change) => (sign.hidden = (depth = Math.max(0, depth + change)) === 0);
  addEventListener('dragenter', (event) => hasFile(event) && moved(1));
  addEventListener('dragleave', (event) => hasFile(event) && moved(-1));
  addEventListener('dragover', (event) => hasFile(event) && event.preventDefault());
  addEventListener('drop', (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    moved(-depth);
    const [file] = event.dataTransfer.files;
    if (file) use(file);
  });
}
