//! The program: everything is in the library, see `voxvault::cli`.

use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

/// Wipes memory when it is given back. Libraries keep copies of keys and text
/// in buffers of their own, which nobody else would wipe.
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    voxvault::cli::main(std::env::args_os())
}
