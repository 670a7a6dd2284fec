//! Simulated sensors.
fn main() {}
