// What runs in the worker of `worker: true`: an entry point for tools that do not find it. It exports nothing.
export {};
