//! A recorder that is stopped anywhere on its way, while something is shredded: it
//! goes on afterwards, its recording can be read by its owner, and the shred stands.

use std::fs;
use std::sync::Mutex;
use std::thread;

use voxvault::vault::frame::Kind;

use super::chance::Chance;
use super::scene::{NEW_PASSPHRASE, Scene};
use super::sound::steps;
use super::stopped::{Place, Stopped, places};
use super::watched::{assert_gone, id_of, segments};
use crate::support::strace::Trace;
use crate::support::tally::{Begun, Budget, of_the_shredded};
use crate::support::{Home, Voxvault, require_tool};

/// The calls by which a recorder comes to its inbox file.
const STARTING: [&str; 7] = [
    "openat", "flock", "pread64", "mkdir", "fsync", "pwrite64", RELEASING,
];

/// The call by which it gives up what it holds.
const RELEASING: &str = "close";

fn record(home: &Home) -> Voxvault {
    let record = ["record", "-", "--format", "s16le", "--title", "stopped"];
    home.voxvault(record).locked()
}

#[test]
fn a_recorder_stopped_before_in_or_behind_the_gate_goes_on_and_no_shred_is_undone_by_it() {
    if !require_tool("strace") {
        return;
    }
    let mut tally = Begun::new("stopped recorders");
    let budget = Budget::begin();
    let scene = Scene::new();
    let sound = steps(2.0).raw();
    let touching = |calls: &[&'static str], file: &str| {
        scene.reset();
        let run = record(&scene.home).stdin(sound.clone());
        let path = scene.home.vault().join(file);
        places(&scene.home, run, calls, &[path.to_str().unwrap()]).0
    };
    let all = touching(&STARTING, "");
    let at = |place: Place| all.iter().position(|one| *one == place).unwrap();
    let held = |file: &str| match touching(&["flock", RELEASING], file)[..] {
        [taken, released] => at(taken)..at(released),
        _ => panic!("{file} is taken once"),
    };
    // It looks at the keys under the lock when it begins.
    let (lock, inside) = (held("lock"), held("gate"));
    let writes = touching(&["pwrite64"], "inbox");
    // Before the gate; inside, with no inbox key yet, with one, and with a first
    // frame that is not durable; behind it. Then anywhere.
    let gate = inside.start;
    let mut order = vec![gate - 1, gate, gate + 4, at(writes[0]), at(writes[1])];
    let stops = (0..all.len()).filter(|at| all[*at].call != RELEASING);
    let mut rest: Vec<usize> = stops.filter(|at| !order.contains(at)).collect();
    Chance::new("stopped recorders").shuffle(&mut rest);
    order.extend(rest);
    let next = Mutex::new(order.into_iter().enumerate());
    let counts = Mutex::new((0, 0));
    const LANES: usize = 4;
    thread::scope(|scope| {
        // Who is stopped inside the gate lets a shred wait for 5 s: side by side.
        for _ in 0..LANES {
            scope.spawn(|| {
                let scene = Scene::new();
                loop {
                    let Some((number, at)) = next.lock().unwrap().next() else {
                        return;
                    };
                    if number >= 2 * LANES && !budget.more() {
                        return;
                    }
                    let holds = match inside.contains(&at) || lock.contains(&at) {
                        true => Holds::Something,
                        false => Holds::Nothing,
                    };
                    stop_and_shred(&scene, all[at], holds, &sound, number);
                    let mut counts = counts.lock().unwrap();
                    match holds {
                        Holds::Nothing => counts.0 += 1,
                        Holds::Something => counts.1 += 1,
                    }
                }
            });
        }
    });
    let (at_once, later) = counts.into_inner().unwrap();
    eprintln!(
        "stopped at {} of {} calls: {at_once} shreds went through, {later} found the vault busy",
        at_once + later,
        all.len()
    );
    assert!(at_once > 0 && later > 0, "both were tried");
    tally.report();
}

/// What a recorder holds where it is stopped: the lock, the gate, or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Nothing,
    Something,
}

/// Stops a recorder at a call, shreds meanwhile, and lets it go on. The shred goes
/// through while it stands, and gives up waiting only where it holds something.
fn stop_and_shred(scene: &Scene, place: Place, holds: Holds, sound: &[u8], number: usize) {
    let what = format!("{place:?}, holding {holds:?}");
    scene.reset();
    let home = &scene.home;
    fs::remove_dir_all(home.path("trace")).ok();
    let mut trace = Trace::new(home, "trace").unwrap();
    let mut recorder = Stopped::behind(place, &mut trace, record(home));
    recorder.running.write(sound);
    recorder.running.close_stdin();
    recorder.wait_until_stopped();

    let doomed = scene.doomed.to_string();
    let shred = trace
        .watch(home.voxvault(["shred", &doomed, "--yes"]))
        .run();
    let shredded = holds == Holds::Nothing;
    let due = if shredded { 0 } else { 6 };
    assert_eq!(shred.code(), Some(due), "{what}: {shred}");
    if shredded {
        scene.assert_gone(Some(&trace), &what);
    }
    // Every other time the passphrase is changed as well.
    let changed = shredded && number.is_multiple_of(4) && {
        let change = ["passwd", "--new-passphrase-file", "new-passphrase"];
        let change = trace.watch(home.voxvault(change)).run();
        assert!(matches!(change.code(), Some(0 | 6)), "{what}: {change}");
        change.code() == Some(0)
    };
    let ended = recorder.go_on();
    assert_eq!(ended.code(), Some(0), "{what}: {ended}");
    let id = id_of(&ended);

    let (open, with) = scene.restart(&what);
    assert_eq!(with == NEW_PASSPHRASE, changed, "{what}");
    scene.assert_rest(&open, &what);
    let kept = open.recording(id);
    let kept = kept.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(kept.card.title, "stopped");
    let seconds = kept.card.duration().as_secs_f64();
    assert!(
        (seconds - 2.0).abs() < 0.001,
        "{what}: {seconds} s are left"
    );
    if !shredded {
        scene.shred_again(&open, &what);
    }
    of_the_shredded(|| assert!(open.recording(scene.doomed).is_err(), "{what}"));
    let found = scene.attack(Some(&trace));
    assert_gone(&found, scene.doomed, &what);
    assert_eq!(found.count(id, Kind::Sound), segments(2.0), "{what}");
}
