// Where each token goes: (T, N_USED), the most probable expert first. Weights of many experts come in parts, a dispatch
// each: a part holds N_EXPERT experts from EXPERT0 on, and leaves the others alone.
#import experts/route_struct
@group(0) @binding(5) var<storage, read> routes: array<Route>;
override N_USED: u32;
override N_EXPERT: u32;
override EXPERT0: u32;
