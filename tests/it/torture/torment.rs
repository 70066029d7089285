//! A command of the real program that is killed, or failed by the kernel, at every call by
//! which it changes a file: what has to hold of whatever is left.

use std::ffi::OsString;
use std::fs;

use super::stopped::{self, CHANGING, Effect, Place};
use crate::support::strace::tampering;
use crate::support::tally::Begun;
use crate::support::{Home, Voxvault};

const KILL: &str = "signal=KILL";

/// What is done to a call: every third one fails at first, and kills in a second round.
const FAULTS: [&str; 6] = [KILL, KILL, "error=EIO", KILL, KILL, "error=ENOSPC"];

/// How often a call is waited for that the run does not make.
const TRIES: u32 = 4;

/// What came of it when something was to be done to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Killed,
    Failed,
    /// The run made no such call.
    Nothing,
}

/// Has the kernel do something at a place.
fn tampered_at(home: &Home, run: Voxvault, place: Place, fault: &str) -> Done {
    let only = format!("trace={}", place.call);
    let log = home.path("tampered");
    let args = ["-f", "-o", log.to_str().unwrap(), "-e", &only].map(OsString::from);
    let what = format!("{fault}:when={}", place.when);
    let args = args.into_iter().chain(tampering(place.call, &what));
    let ended = run.under("strace", args).run();
    let what = format!("{place:?} {fault}: {ended}");
    assert!(!ended.stderr.contains("panicked"), "{what}");
    let Some(code) = ended.code().filter(|code| *code != 137) else {
        assert_eq!(fault, KILL, "{what}");
        return Done::Killed;
    };
    assert!([0, 1, 5, 9].contains(&code), "{what}");
    let was_told = fs::read_to_string(&log).unwrap().contains("(INJECTED)");
    match fault != KILL && was_told {
        true => Done::Failed,
        false => Done::Nothing,
    }
}

/// Kills a run at each of its calls, fails every third, and has `check` look at what is
/// left.
pub(crate) fn torment(
    test: &str,
    home: &Home,
    paths: &[&str],
    run: &dyn Fn() -> Voxvault,
    check: &dyn Fn(Place),
) {
    let mut tally = Begun::new(test);
    // What a first run leaves outside of these paths is there for all that are counted.
    run().run().ok();
    let (mut all, _) = stopped::places(home, run(), &CHANGING, paths);
    all.retain(|place| place.effect == Effect::Change);
    let places = all.len();
    assert!(places > 50, "the control: {places}");
    let mut missed = 0;
    let planned = all.into_iter().zip(FAULTS.into_iter().cycle());
    let again = planned.clone().filter(|(_, fault)| *fault != KILL);
    let again = again.map(|(place, _)| (place, KILL));
    for (place, fault) in planned.chain(again) {
        // Its threads may share the work in another way each time.
        let tries = (0..TRIES).map(|_| tampered_at(home, run(), place, fault));
        match tries.into_iter().find(|done| *done != Done::Nothing) {
            Some(Done::Killed) => tally.kills += 1,
            Some(Done::Failed) => {
                tally.faults += 1;
                // A second copy that could not be written is made anew and told, once.
                let next = home.voxvault(["list"]).run();
                assert!(
                    next.code() == Some(0) || next.stderr.contains("made anew"),
                    "{next}"
                );
            }
            _ => missed += 1,
        }
        check(place);
    }
    tally.report();
    let (kills, faults) = (tally.kills, tally.faults);
    let told =
        format!("{kills} kills and {faults} faults at {places} places, {missed} not reached");
    assert!(kills * 10 >= places as u64 * 9 && faults > 0, "only {told}");
}
