//! What the machine says of itself, read from what the kernel shows as text.
//!
//! Each part takes the text and answers with plain facts; only the functions named
//! `of_this_…` read a file. What the facts mean is decided elsewhere.

pub mod mounts;
pub mod process;
pub mod swap;
