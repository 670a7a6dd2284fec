//! Simulated sensors.
