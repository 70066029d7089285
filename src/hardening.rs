//! What the program forbids itself before it touches a key.
//!
//! No sockets but those of this machine (the sound server is reached through
//! one), no io_uring (which could open sockets behind the filter's back), no
//! core files, and no reading of its memory by other processes of the same
//! user. A tracer that is already attached is not refused.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// Which protections hold. `doctor` and the tests read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hardening {
    /// Why the network could not be forbidden, if it could not.
    pub network: Result<(), String>,
    /// Why the memory could not be closed to others, if it could not.
    pub memory: Result<(), String>,
}

/// Applies every protection that this system has. What fails is told, not
/// fatal: a recorder that does not start protects nothing.
#[must_use]
pub fn harden() -> Hardening {
    Hardening {
        memory: close_memory(),
        network: forbid_network(),
    }
}

fn close_memory() -> Result<(), String> {
    rustix::process::setrlimit(
        rustix::process::Resource::Core,
        rustix::process::Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )
    .map_err(|error| error.to_string())?;
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .map_err(|error| error.to_string())
}

fn forbid_network() -> Result<(), String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let program = network_filter().map_err(|error| told(&error))?;
    seccompiler::apply_filter_all_threads(&program).map_err(|error| told(&error))
}

/// A filter under which `socket` knows only `AF_UNIX` and io_uring is absent.
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
