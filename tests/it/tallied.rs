//! What a test of faults found is in the last line of `make torture`, however the test
//! ended, and a test that says nothing is noticed.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::support::tally::{Begun, of_the_shredded};

/// The last line of the sum, and whether all was well.
fn sum(file: &Path) -> (String, bool) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/torture-sum");
    let done = Command::new(script).arg(file).output().unwrap();
    let told = String::from_utf8(done.stdout).unwrap();
    let last = told.lines().last().unwrap_or_default();
    (last.to_owned(), done.status.success())
}

/// The sum over one test.
fn sum_of(test: impl FnOnce(Begun) + std::panic::UnwindSafe) -> (String, bool) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tally");
    let begun = Begun::adding_to(Some(file.clone()), "one: of several");
    // What it panics with is what it is to count.
    let _ = catch_unwind(std::panic::AssertUnwindSafe(|| test(begun)));
    sum(&file)
}

const NOTHING_FOUND: &str = "torture: images=0 kills=3 flips=0 faults=0 lost=0 unshredded=0";
const LOST: &str = "torture: images=0 kills=3 flips=0 faults=0 lost=1 unshredded=0";
const UNSHREDDED: &str = "torture: images=0 kills=3 flips=0 faults=0 lost=0 unshredded=1";

#[test]
fn a_check_that_fails_is_in_the_last_line_as_what_it_was_about() {
    let (line, is_well) = sum_of(|mut begun| {
        begun.kills += 3;
        begun.report();
    });
    assert_eq!((&*line, is_well), (NOTHING_FOUND, true));
    let (line, is_well) = sum_of(|mut begun| {
        begun.kills += 3;
        of_the_shredded(|| assert_eq!(begun.kills, 3, "a check that holds"));
        panic!("a recording is not there");
    });
    assert_eq!((&*line, is_well), (LOST, false));
    let (line, is_well) = sum_of(|mut begun| {
        begun.kills += 3;
        of_the_shredded(|| panic!("its words are there"));
    });
    assert_eq!((&*line, is_well), (UNSHREDDED, false));
    // A lane of a test is a thread of its own.
    let (line, is_well) = sum_of(|mut begun| {
        begun.kills += 3;
        thread::scope(|scope| {
            scope.spawn(|| of_the_shredded(|| panic!("its sound is there")));
        });
    });
    assert_eq!((&*line, is_well), (UNSHREDDED, false));
}

#[test]
fn what_was_counted_is_said_once_also_where_a_test_fails_after_it() {
    let (line, is_well) = sum_of(|mut begun| {
        begun.kills += 3;
        begun.lost += 1;
        begun.report();
        panic!("something was lost");
    });
    assert_eq!((&*line, is_well), (LOST, false));
}

#[test]
fn a_test_that_began_and_says_nothing_more_is_no_success() {
    let (line, is_well) = sum_of(drop);
    let nothing = NOTHING_FOUND.replace("kills=3", "kills=0");
    assert_eq!((&*line, is_well), (&*nothing, false));
    // Nor is it where another one says enough.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tally");
    drop(Begun::adding_to(Some(file.clone()), "killed"));
    Begun::adding_to(Some(file.clone()), "another").report();
    assert!(!sum(&file).1);
    Begun::adding_to(Some(file.clone()), "killed").report();
    assert!(!sum(&file).1, "it began twice");
    // And nobody saying anything is none either.
    fs::write(&file, "").unwrap();
    assert!(!sum(&file).1);
}
