// What runtimes that are no browsers do otherwise. Here it is empty; node.js fills it in.
export const platform = {};
