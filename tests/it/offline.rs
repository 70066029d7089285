//! No network: whatever the program is asked to do, it opens no socket but
//! those of this machine, and the kernel would refuse it one.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;
use std::{env, fs, io, thread};

use crate::support::prepared::{home_with_examples, quick_home};
use crate::support::sound::Pcm;
use crate::support::strace::Trace;
use crate::support::{clip, eventually};

#[test]
fn no_command_opens_a_socket_but_those_of_this_machine() {
    let Some(home) = home_with_examples() else {
        return;
    };
    let Some(mut trace) = Trace::new(&home, "trace") else {
        return;
    };
    let clip = clip("train").into_os_string();
    for args in [
        vec!["list".into()],
        vec!["search".into(), "heater".into()],
        vec!["transcribe".into(), "last".into()],
        vec!["import".into(), clip],
        vec!["model".into(), "list".into()],
        vec!["shred".into(), "last".into(), "--yes".into()],
    ] {
        trace.run(home.voxvault::<std::ffi::OsString>(args));
    }
    let calls = trace.calls();
    for call in calls.iter().filter(|call| call.name == "socket") {
        assert!(call.line.starts_with("socket(AF_UNIX"), "{}", call.line);
    }
    for forbidden in ["io_uring_setup", "io_setup"] {
        assert!(
            calls.iter().all(|call| call.name != forbidden),
            "{forbidden} was used"
        );
    }
    assert!(
        calls.iter().any(|call| call.name == "execve"),
        "the trace saw the program start"
    );
}

/// Set in the process that takes the filter upon itself.
const FILTERED: &str = "VOXVAULT_TEST_FILTERED";

/// The filter can't be taken off again, so this test runs itself once more.
#[test]
fn the_kernel_refuses_the_program_every_other_socket() {
    if env::var_os(FILTERED).is_some() {
        return ask_for_sockets();
    }
    let name = "offline::the_kernel_refuses_the_program_every_other_socket";
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(FILTERED, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("asked for 4 sockets"),
        "it did not run: {said}"
    );
}

fn ask_for_sockets() {
    let local: SocketAddr = "127.0.0.1:9".parse().unwrap();
    UdpSocket::bind("127.0.0.1:0").expect("before, there are sockets");
    voxvault::hardening::forbid_network().expect("the network is forbidden");
    let refused = |asked: io::Result<()>| {
        assert_eq!(
            asked.expect_err("a socket").kind(),
            io::ErrorKind::PermissionDenied
        );
    };
    refused(UdpSocket::bind("127.0.0.1:0").map(drop));
    refused(TcpListener::bind("[::1]:0").map(drop));
    refused(TcpStream::connect(local).map(drop));
    // On every thread, also those that come later; this machine's own stay.
    thread::spawn(move || refused(TcpStream::connect(local).map(drop)))
        .join()
        .unwrap();
    UnixStream::pair().expect("the sound server is reached through one");
    eprintln!("asked for 4 sockets");
}

#[test]
fn every_thread_of_a_recording_program_is_under_the_filter() {
    let home = quick_home();
    let mut recorder = home
        .voxvault(["record", "-", "--format", "s16le"])
        .locked()
        .spawn_with_open_stdin();
    recorder.write(&Pcm::tone(16_000, 1.0).raw());
    let inbox = home.vault().join("inbox");
    eventually("it is recording", Duration::from_secs(20), || {
        (inbox.read_dir().ok()?.count() > 0).then_some(())
    });
    let tasks = fs::read_dir(format!("/proc/{}/task", recorder.pid())).unwrap();
    for task in tasks {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        assert!(
            status.contains("Seccomp:\t2"),
            "a thread without a filter:\n{status}"
        );
        assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    }
    recorder.close_stdin();
    recorder.wait().ok();
}
