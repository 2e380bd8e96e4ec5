// The package's files that tools must find: the worker, wasm and weights, which lie beside its scripts.

/** Vite before version 8 moves the scripts alone into its cache when it serves a page in development. */
export const unmoved = (url) => url.replace(/\/\.vite\/deps\/(worker\.js|\w+_bg\.wasm|[\w-]+\.(?:gguf|dict))(?=\?|$)/, '/webgguf/$1');

/** What helps who reads that a file was not found. */
export const advice = (option) =>
  `if your build leaves it out or moves it, give its address as ${option}; with Vite before version 8, ` +
  "set optimizeDeps.exclude to ['webgguf']";
