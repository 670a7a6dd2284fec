#![doc = include_str!("../README.md")]

pub mod batch;
pub mod capture;
pub mod clock;
pub mod dice;
pub mod heads;
pub mod http;
pub mod latency;
pub mod load;
pub mod mall;
pub mod print;
pub mod progress;
pub mod publisher;
pub mod replay;
pub mod verify;
