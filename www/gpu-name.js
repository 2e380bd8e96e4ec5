/** The name of the GPU of `info.gpu`. Browsers tell what they like. */
export async function gpuName({ adapter }) {
  if (adapter) return adapter;
  const { vendor, architecture, description } = (await navigator.gpu.requestAdapter())?.info ?? {};
  return description || [vendor, architecture].filter(Boolean).join(' ') || 'not told by the browser';
}
