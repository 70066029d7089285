//! Programs that stand still at a call of the test's choosing: stopped behind it,
//! as a person does with Control-Z but exactly there, or held in front of it.
//!
//! strace delivers SIGSTOP with the call, and SIGCONT lets the program go on; or
//! it lets the call wait.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::strace::Trace;
use crate::support::{Finished, Home, Running, Voxvault, eventually};

/// The calls that change files, or their names, or make them last.
pub(crate) const CHANGING: [&str; 9] = [
    "openat",
    "pwrite64",
    "write",
    "fsync",
    "fdatasync",
    "ftruncate",
    "rename",
    "unlink",
    "mkdir",
];

/// One call of a program: its name, and its number among the calls of that name
/// that its thread makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) call: &'static str,
    pub(crate) when: usize,
    /// What it leaves behind it.
    pub(crate) effect: Effect,
}

/// What a call leaves behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    /// A file, its name or its bytes are others, or durable.
    Change,
    /// Nothing.
    None,
}

/// Runs it to its end, and lists its calls of these names that touch one of these
/// paths, in the order in which it makes them.
pub(crate) fn places(
    home: &Home,
    run: Voxvault,
    calls: &[&'static str],
    paths: &[&str],
) -> (Vec<Place>, Finished) {
    let log = home.path("places");
    let only = format!("trace={}", calls.join(","));
    let args = [
        "-f",
        "--seccomp-bpf",
        "-y",
        "-o",
        log.to_str().unwrap(),
        "-e",
        &only,
    ];
    let ended = run.under("strace", args).run().ok();
    let text = fs::read_to_string(&log).unwrap();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut places: Vec<Place> = Vec::new();
    for line in text.lines() {
        // The thread, the call, what it was given.
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let Some((name, given)) = rest.trim_start().split_once('(') else {
            continue;
        };
        let Some(call) = calls.iter().find(|call| **call == name) else {
            continue;
        };
        let when = counts.entry((thread, call)).or_default();
        *when += 1;
        let opens = *call == "openat" && !given.contains("O_RDWR");
        let looks = opens || matches!(*call, "pread64" | "flock");
        let place = Place {
            call,
            when: *when,
            effect: if looks { Effect::None } else { Effect::Change },
        };
        let touches = paths.iter().any(|path| given.contains(path));
        if touches && !places.contains(&place) {
            places.push(place);
        }
    }
    assert!(!places.is_empty(), "nothing was touched: {ended}");
    (places, ended)
}

/// For how long a call is let wait.
const HELD: Duration = Duration::from_secs(6);

/// A program that stands still, or is on its way there.
pub(crate) struct Stopped {
    pub(crate) running: Running,
    pid: Pid,
}

impl Stopped {
    /// Starts it, to be stopped right behind this call; everything that it writes
    /// goes into the log. Its standard input stays open.
    pub(crate) fn behind(place: Place, trace: &mut Trace, run: Voxvault) -> Self {
        Self::start(
            place.call,
            &format!("signal=STOP:when={}", place.when),
            trace,
            run,
        )
    }

    /// Starts it, to be held for some seconds in front of this call.
    pub(crate) fn before(place: Place, trace: &mut Trace, run: Voxvault) -> Self {
        let held = HELD.as_micros();
        let what = format!("delay_enter={held}:when={}", place.when);
        Self::start(place.call, &what, trace, run)
    }

    fn start(call: &str, what: &str, trace: &mut Trace, run: Voxvault) -> Self {
        let running = trace.tamper(call, what, run).spawn_with_open_stdin();
        let pid = child_of(running.pid());
        Self { running, pid }
    }

    /// Waits until it stands still.
    pub(crate) fn wait_until_stopped(&self) {
        // Under strace it stops for a moment at every call.
        let mut still_since = Instant::now();
        let stat = format!("/proc/{}/stat", self.pid.as_raw_nonzero());
        let mut before = String::new();
        eventually("it is stopped", Duration::from_secs(60), || {
            let now = fs::read_to_string(&stat).unwrap_or_default();
            let state = now.rsplit(") ").next().unwrap_or_default();
            if now != before || !state.starts_with(['t', 'T']) {
                (before, still_since) = (now, Instant::now());
            }
            (still_since.elapsed() > Duration::from_millis(300)).then_some(())
        });
    }

    /// Lets it go on, to its end.
    pub(crate) fn go_on(self) -> Finished {
        // It may have ended, where it was only held.
        kill_process(self.pid, Signal::CONT).ok();
        self.running.wait()
    }
}

/// The program that strace has started.
pub(crate) fn child_of(strace: u32) -> Pid {
    let children = format!("/proc/{strace}/task/{strace}/children");
    eventually("strace starts it", Duration::from_secs(20), || {
        let children = fs::read_to_string(&children).ok()?;
        let child: i32 = children.split_whitespace().next()?.parse().ok()?;
        // strace forks once before it becomes what it is to watch.
        let name = fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
        (name.trim() == "voxvault").then(|| Pid::from_raw(child))?
    })
}
