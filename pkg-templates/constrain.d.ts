// The engine of response formats, for a service worker, which can't import it when a call asks for one. It exports nothing.
export {};
