//! Nothing decrypted touches the disk while a backup is written.

use std::fs;

use super::Scene;
use crate::support::library;
use crate::support::needles::Needles;
use crate::support::sound::Pcm;
use crate::support::strace::{Call, Trace, writes};

const TITLE: &str = "Quarrelsome platypus";
const NOTE: &str = "the ferryman knows about the umbrella";
const WORDS: &str = "seventeen lighthouses without a keeper";

/// What of the needles stands in what was given to the kernel, but for what a person
/// reads, and where.
fn findings(calls: &[Call], needles: &Needles) -> Vec<String> {
    calls
        .iter()
        .filter(|call| call.name != "execve")
        .filter(|call| {
            !call
                .file
                .as_deref()
                .is_some_and(|file| file.starts_with("pipe:"))
        })
        .flat_map(|call| {
            let found = call.given.iter().flat_map(|bytes| needles.found_in(bytes));
            let found: Vec<String> = found.collect();
            found
                .into_iter()
                .map(|needle| format!("{needle} in {}", call.file.clone().unwrap_or_default()))
        })
        .collect()
}

#[test]
fn nothing_decrypted_touches_the_disk_while_a_backup_is_written() {
    let scene = Scene::new();
    let id = scene.import("dream", TITLE);
    scene
        .open()
        .add_transcript(id, 0, &library::transcript(WORDS))
        .unwrap();
    let id = id.to_string();
    scene.run(["edit", &id, "--note", NOTE]).ok();
    let Some(mut trace) = Trace::new(&scene.home, "backup") else {
        return;
    };
    trace.run(scene.home.voxvault(["backup", "bk"]));
    trace.run(scene.home.voxvault(["edit", &id, "--title", TITLE]));
    trace.run(scene.home.voxvault(["backup", "bk"]));
    trace.run(scene.home.voxvault(["backup", "-"]));
    let Some(mut export) = Trace::new(&scene.home, "export") else {
        return;
    };
    for (format, file) in [
        ("opus", "one.opus"),
        ("txt", "one.txt"),
        ("json", "one.json"),
    ] {
        export.run(
            scene
                .home
                .voxvault(["export", &id, "--format", format, "-o", file]),
        );
    }
    let mut needles = Needles::default();
    needles.text(TITLE).text(NOTE).text(WORDS);
    let opus = fs::read(scene.home.path("one.opus")).unwrap();
    needles.windows("one.opus", &opus[200..], 1_000);
    needles.windows(
        "sound",
        &Pcm::decode(&scene.home.path("one.opus")).raw(),
        1_000,
    );
    let calls = trace.calls();
    let leaked = findings(&calls, &needles);
    assert!(leaked.is_empty(), "{leaked:#?}");
    // It was written, and the same search finds what is exported.
    let written: usize = calls
        .iter()
        .filter(|call| {
            writes(call)
                && call
                    .file
                    .as_deref()
                    .is_some_and(|file| file.contains("/bk/"))
        })
        .flat_map(|call| &call.given)
        .map(Vec::len)
        .sum();
    assert!(written > 10_000, "only {written} bytes");
    let exported = findings(&export.calls(), &needles).join("\n");
    for wanted in ["one.opus, byte", "platypus in", "umbrella in", "keeper in"] {
        assert!(exported.contains(wanted), "{wanted} is not in {exported}");
    }
}
