// Invocations of a workgroup where each works by itself.
const ELEMENT_WG = 64u;
