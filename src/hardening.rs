//! What the program forbids itself before it touches a key.
//!
//! No sockets but those of this machine (the sound server is reached through
//! one), no io_uring (which could open sockets behind the filter's back), no
//! core files, and no reading of its memory by other processes of the same
//! user. A tracer that is already attached is not refused.

#[cfg(target_os = "linux")]
use std::collections::BTreeMap;

use rustix::process::{Resource, Rlimit};
#[cfg(target_os = "linux")]
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// Closes the memory to others: no core files, no reading by processes of the
/// same user. To be called before there is a secret in it.
///
/// # Errors
/// Why that was not possible. It is told, not fatal: a recorder that does not
/// start protects nothing.
pub fn close_memory() -> Result<(), String> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    rustix::process::setrlimit(Resource::Core, none).map_err(|error| error.to_string())?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .map_err(|error| error.to_string())?;
    Ok(())
}

/// Whether the memory is closed to others, asked of the kernel.
#[must_use]
pub fn closed_memory() -> bool {
    let no_cores = rustix::process::getrlimit(Resource::Core).current == Some(0);
    #[cfg(target_os = "linux")]
    let closed = matches!(
        rustix::process::dumpable_behavior(),
        Ok(rustix::process::DumpableBehavior::NotDumpable)
    );
    #[cfg(not(target_os = "linux"))]
    let closed = false;
    no_cores && closed
}

/// Forbids every socket that leads off this machine, for all threads and for
/// good.
///
/// # Errors
/// Why that was not possible, as above.
#[cfg(target_os = "linux")]
pub fn forbid_network() -> Result<(), String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let program = network_filter().map_err(|error| told(&error))?;
    seccompiler::apply_filter_all_threads(&program).map_err(|error| told(&error))
}

/// Only Linux lets a program forbid itself the network.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn forbid_network() -> Result<(), String> {
    Err("this system has no filter for system calls".to_owned())
}

/// A filter under which `socket` knows only `AF_UNIX` and io_uring is absent.
#[cfg(target_os = "linux")]
fn network_filter() -> Result<BpfProgram, seccompiler::Error> {
    let not_local = SeccompRule::new(vec![SeccompCondition::new(
        0,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::Ne,
        libc::AF_UNIX as u64,
    )?])?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    rules.insert(libc::SYS_socket, vec![not_local]);
    for forbidden in [
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
    ] {
        rules.insert(forbidden, Vec::new());
    }
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let errno = SeccompAction::Errno(libc::EACCES as u32);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, errno, arch)?;
    Ok(filter.try_into()?)
}
