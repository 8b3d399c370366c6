//! `cargo xtask chaos`: a cluster of real processes under faults and load, and a checker of what clients saw.

mod checker;
mod history;
mod register;
