// An expert that a token goes to, and how much its output counts.
struct Route {
  expert: u32,
  weight: f32,
}
