//! Every call by which the program changes a file is made to fail by the kernel,
//! one at a time, and the program is killed at every one of them.
//!
//! strace does both, to the real program. However a command ends, its vault opens,
//! everything that was acknowledged is there, and a shred that was reported as
//! done is final. In `make test` some of the places are tried, in `make torture`
//! as many as there is time for.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;

use super::chance::Chance;
use super::deeds::Deed;
use super::scene::Scene;
use super::stopped::{CHANGING, Effect, Place, places};
use crate::support::strace::{Trace, tampering};
use crate::support::tally::{Begun, Budget};
use crate::support::{Finished, require_tool};

/// What is done to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Eio,
    Enospc,
    Kill,
}

impl Fault {
    fn applies_to(self, place: Place) -> bool {
        let changes = place.effect == Effect::Change;
        match self {
            Self::Eio => true,
            Self::Enospc => changes && !matches!(place.call, "unlink" | "ftruncate"),
            // Before a call that changes nothing it is as after the call before.
            Self::Kill => changes,
        }
    }

    fn tampering(self, place: Place) -> String {
        let what = match self {
            Self::Eio => "error=EIO",
            Self::Enospc => "error=ENOSPC",
            Self::Kill => "signal=KILL",
        };
        format!("{what}:when={}", place.when)
    }
}

/// One thing to try.
#[derive(Debug, Clone, Copy)]
struct Trial {
    deed: Deed,
    place: Place,
    fault: Fault,
}

impl Trial {
    /// Tries it, and says how the command ended.
    fn run(self, scene: &Scene) -> Option<i32> {
        scene.reset();
        let tampered = self.fault.tampering(self.place);
        let run = self.deed.run(scene);
        // What is shredded is looked for in all that was written meanwhile.
        let mut trace = (self.deed == Deed::Shred).then(|| {
            fs::remove_dir_all(scene.home.path("trace")).ok();
            Trace::new(&scene.home, "trace").unwrap()
        });
        let run = match &mut trace {
            Some(trace) => trace.tamper(self.place.call, &tampered, run),
            None => {
                let only = format!("trace={}", self.place.call);
                let args = ["-f", "-o", "/dev/null", "-e", &only].map(OsString::from);
                let tampering = tampering(self.place.call, &tampered);
                run.under("strace", args.into_iter().chain(tampering))
            }
        };
        let ended = run.run();
        let what = format!("{self:?}: {ended}");
        assert_decent(self.fault, &ended, &what);
        self.deed.check(scene, &ended, trace.as_ref(), &what);
        ended.code()
    }
}

/// It ended in one of the ways that the manual tells of, and said why.
fn assert_decent(fault: Fault, ended: &Finished, what: &str) {
    assert!(!ended.stderr.contains("panicked"), "{what}");
    let Some(code) = ended.code().filter(|code| *code != 137) else {
        assert_eq!(fault, Fault::Kill, "{what}");
        return;
    };
    let allowed: &[i32] = match fault {
        Fault::Enospc => &[0, 1, 9],
        Fault::Eio | Fault::Kill => &[0, 1, 5],
    };
    assert!(allowed.contains(&code), "{what}");
    if code != 0 {
        let mut errors = ended.stderr.lines();
        let is_error = |line: &str| line.starts_with("voxvault: ") && line.len() < 600;
        assert!(errors.any(is_error), "{what}");
    }
}

/// Every call of a deed that touches the vault.
fn places_of(scene: &Scene, deed: Deed) -> Vec<Place> {
    scene.reset();
    let run = deed.run(scene);
    let vault = scene.home.vault();
    // `init` makes its vault in the folder it is in.
    let paths = [vault.to_str().unwrap(), "\"made", "/made"];
    let (places, _) = places(&scene.home, run, &CHANGING, &paths);
    fs::remove_dir_all(scene.home.path("made")).ok();
    places
}

/// Tries some of all there is to try, in an order of its own; at least so many.
fn torment(test: &str, faults: &[Fault], least: usize, slow: usize) {
    if !require_tool("strace") {
        return;
    }
    let mut tally = Begun::new(test);
    let budget = Budget::begin();
    let scene = Scene::new();
    let mut trials = Vec::new();
    for deed in Deed::ALL {
        for place in places_of(&scene, deed) {
            let applies = |fault: &&Fault| fault.applies_to(place);
            let faults = faults.iter().filter(applies);
            trials.extend(faults.map(|fault| Trial {
                deed,
                place,
                fault: *fault,
            }));
        }
    }
    Chance::new(test).shuffle(&mut trials);
    let (mut quick, mut slowly, mut done) = (0, 0, 0);
    let mut ends: BTreeMap<_, BTreeMap<_, usize>> = BTreeMap::new();
    for trial in &trials {
        let (count, enough) = match trial.deed.is_slow() {
            true => (&mut slowly, slow),
            false => (&mut quick, least),
        };
        if *count >= enough && !budget.more() {
            continue;
        }
        *count += 1;
        done += 1;
        let end = trial.run(&scene);
        match trial.fault {
            Fault::Kill => tally.kills += 1,
            Fault::Eio | Fault::Enospc => tally.faults += 1,
        }
        let of = ends.entry((trial.deed, trial.fault)).or_default();
        *of.entry(end).or_default() += 1;
    }
    eprintln!("{test}: {done} of {} places; ended with:", trials.len());
    for ((deed, fault), ends) in ends {
        eprintln!("  {deed:?} {fault:?}: {ends:?}");
    }
    tally.report();
}

#[test]
fn whatever_call_the_kernel_fails_nothing_is_lost_and_a_shred_keeps_its_word() {
    torment("failing calls", &[Fault::Eio, Fault::Enospc], 30, 3);
}

#[test]
fn killed_at_whatever_call_the_program_loses_nothing_and_a_shred_keeps_its_word() {
    torment("kills at calls", &[Fault::Kill], 24, 2);
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_merge_is_never_called_damage() {
    if !require_tool("strace") {
        return;
    }
    let mut tally = Begun::new("a full disk in a merge");
    let scene = Scene::new();
    let (deed, fault) = (Deed::Merge, Fault::Enospc);
    let places = places_of(&scene, deed);
    for place in places.into_iter().filter(|place| fault.applies_to(*place)) {
        Trial { deed, place, fault }.run(&scene);
        tally.faults += 1;
    }
    assert!(tally.faults > 15);
    tally.report();
}
