// The wasm's address, as tools give it to who imports a file that is no script; an option of `loadModel` takes it.
declare const wasmUrl: string;
export default wasmUrl;
