//! No network: whatever the program is asked to do, it opens no socket but
//! those of this machine, and the kernel would refuse it one.

use std::fs;

use crate::support::prepared::home_with_examples;
use crate::support::strace::{Call, Trace};
use crate::support::{Home, require_tool};

/// What the kernel answers to a program that asks for these sockets. The ask is
/// put into its mouth: strace changes what the program itself requests.
fn sockets_of(calls: &[Call]) -> Vec<&Call> {
    calls.iter().filter(|call| call.name == "socket").collect()
}

#[test]
fn no_command_opens_a_socket_but_those_of_this_machine() {
    let Some(home) = home_with_examples() else {
        return;
    };
    let Some(mut trace) = Trace::new(&home, "trace") else {
        return;
    };
    let clip = crate::support::clip("train").into_os_string();
    for args in [
        vec!["list".into()],
        vec!["search".into(), "landlord".into()],
        vec!["transcribe".into(), "last".into()],
        vec!["import".into(), clip],
        vec!["model".into(), "list".into()],
        vec!["shred".into(), "last".into(), "--yes".into()],
    ] {
        trace.run(home.voxvault::<std::ffi::OsString>(args));
    }
    let calls = trace.calls();
    for call in sockets_of(&calls) {
        assert!(call.line.starts_with("socket(AF_UNIX"), "{}", call.line);
    }
    for forbidden in ["io_uring_setup", "io_setup"] {
        assert!(calls.iter().all(|call| call.name != forbidden), "{forbidden} was used");
    }
    assert!(calls.iter().any(|call| call.name == "execve"), "the trace saw the program start");
}

#[test]
fn the_kernel_refuses_the_program_every_other_socket() {
    let home = Home::new();
    if !require_tool("strace") {
        return;
    }
    // `/proc` tells that the filter is in force, on every thread, while a
    // recording waits for its sound; the filter's own rules are tested where
    // they stand.
    home.voxvault(["init"]).run().ok();
    let recorder = home
        .voxvault(["record", "-", "--format", "s16le"])
        .locked()
        .spawn_with_open_stdin();
    let tasks = format!("/proc/{}/task", recorder.pid());
    let status = crate::support::eventually("it is recording", std::time::Duration::from_secs(10), || {
        let inbox = home.vault().join("inbox").read_dir().ok()?;
        (inbox.count() > 0).then(|| fs::read_dir(&tasks).unwrap())
    });
    let mut threads = 0;
    for task in status {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        assert!(status.contains("Seccomp:\t2"), "a thread without a filter:\n{status}");
        assert!(status.contains("NoNewPrivs:\t1"), "{status}");
        threads += 1;
    }
    assert!(threads > 0);
}
