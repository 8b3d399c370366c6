//! Stead's HTTP API from the outside: its JSON ([`wire`]).
//!
//! Owns: what goes over the wire, shared by the server, the command line and other programs.
//! Never: knows a server's rooms beyond `stead-event`.

pub mod wire;
