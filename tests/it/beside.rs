//! What the program can't do in the vault keeps nobody from what is in the store: it is
//! named, and the command ends with a code that says so, behind its output.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::library::{transcript, unlock};
use crate::support::prepared::quick_home;
use crate::support::sound::Pcm;
use crate::support::{Finished, Home, PASSPHRASE};

/// A home whose vault holds a recording with words, and another one in the inbox; and the
/// file of that.
fn home_with_both() -> (Home, PathBuf) {
    let home = quick_home();
    home.write("tone.wav", &Pcm::tone(16_000, 2.0).wav());
    home.voxvault(["import", "--no-transcribe", "--title", "kept", "tone.wav"])
        .run()
        .ok();
    let open = unlock(&home.vault(), PASSPHRASE);
    let kept = open.recordings().unwrap().remove(0);
    open.add_transcript(kept.id, kept.epoch, &transcript("the heater hums"))
        .unwrap();
    home.voxvault(["record", "-", "--title", "waits"])
        .locked()
        .stdin(Pcm::tone(16_000, 2.0).wav())
        .run()
        .ok();
    let inbox = fs::read_dir(home.vault().join("inbox")).unwrap();
    let mut files = inbox.map(|entry| entry.unwrap().path());
    let is_recording = |path: &PathBuf| path.extension().is_some_and(|it| it == "rec");
    let file = files.find(is_recording).unwrap();
    (home, file)
}

/// Whether a command that reads gave what it was asked for.
fn assert_reading_works(home: &Home, code: i32, names: &dyn Fn(&Finished)) {
    let run = |args: &[&str]| {
        let ended = home.voxvault(args.iter().copied()).run().ended_with(code);
        names(&ended);
        ended
    };
    let list = run(&["list", "--json"]).json();
    let recordings = list["recordings"].as_array().unwrap().clone();
    let kept = recordings.iter().find(|one| one["title"] == "kept");
    let kept = kept.unwrap()["id"].as_str().unwrap().to_owned();
    assert!(run(&["show", &kept]).text().contains("hums"));
    assert!(run(&["search", "heater"]).text().contains("heater"));
    assert!(!run(&["play", &kept, "--stdout"]).stdout.is_empty());
    let text = run(&["export", &kept, "--format", "txt", "-o", "-"]);
    assert!(text.text().contains("hums"));
}

/// Whether who names the recording that waits hears that it is there, and what for it waits.
fn assert_told_what_holds_up(home: &Home, file: &Path, in_the_way: &Path) {
    let waits = file.file_stem().unwrap().to_str().unwrap();
    let commands: [&[&str]; 9] = [
        &["show", waits],
        &["play", waits, "--stdout"],
        &["export", waits, "--format", "wav", "-o", "-"],
        &["transcribe", waits],
        &["redact", waits, "0", "1", "--yes"],
        &["edit", waits, "--title", "named"],
        &["edit", waits, "--pin"],
        &["edit", waits, "--forget"],
        &["edit", &waits[..6], "--tag", "+work"],
    ];
    for command in commands {
        let ended = home.voxvault(command.iter().copied()).run().ended_with(1);
        let said = |line: &str| {
            line.starts_with(&format!("voxvault: can't {} ({}", command[0], &waits[..8]))
                && line.contains("it waits in the inbox: can't write")
                && line.contains(&in_the_way.display().to_string())
        };
        assert!(ended.stderr.lines().any(said), "{command:?}: {ended}");
    }
}

/// The number of the generation in force, which the bag's name tells.
fn generation(vault: &Path) -> u64 {
    let names = fs::read_dir(vault).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let numbers = names.filter_map(|name| {
        let number = name.strip_prefix("bag.")?.strip_suffix(".a")?;
        number.parse().ok()
    });
    numbers.max().unwrap()
}

#[test]
fn keys_that_can_not_be_written_keep_nobody_from_reading() {
    let (home, file) = home_with_both();
    let vault = home.vault();
    let in_the_way = vault.join(format!("bag.{}.a", generation(&vault) + 1));
    fs::create_dir(&in_the_way).unwrap();
    let names = |ended: &Finished| {
        let path = in_the_way.display().to_string();
        assert!(ended.stderr.contains(&path), "{ended}");
        let waits = "1 recording waits in the inbox";
        assert!(ended.stderr.contains(waits), "{ended}");
    };
    assert_reading_works(&home, 1, &names);
    let repaired = home.voxvault(["verify", "--repair"]).run().ended_with(5);
    assert!(repaired.text().contains("bag."), "{repaired}");
    let last = home.voxvault(["shred", "last", "--yes"]).run();
    assert_ne!(last.code(), Some(0), "nothing can be destroyed: {last}");
    assert!(file.exists());
    assert_told_what_holds_up(&home, &file, &in_the_way);

    fs::remove_dir(&in_the_way).unwrap();
    let list = home.voxvault(["list"]).run().ok();
    assert!(list.text().contains("waits"), "{list}");
    assert!(!file.exists());
}

#[test]
fn a_mark_that_can_not_be_taken_away_is_named_and_keeps_nobody_from_reading() {
    let (home, file) = home_with_both();
    let mark = file.with_extension("open");
    fs::create_dir(&mark).unwrap();
    let bytes = fs::read(&file).unwrap();
    let names = |ended: &Finished| {
        let path = mark.display().to_string();
        assert!(ended.stderr.contains(&path), "{ended}");
        // As a power cut may do it.
        fs::write(&file, &bytes).unwrap();
    };
    assert_reading_works(&home, 1, &names);
    names(&home.voxvault(["backup", "copy"]).run().ended_with(1));
    assert!(home.path("copy").read_dir().unwrap().count() > 0);
    let noted = home.voxvault(["verify"]).run().ok();
    let said = noted.text() + &noted.stderr;
    assert!(said.contains("can't remove it"), "{noted}");
    // It is no damage, and yet not done.
    let repaired = home.voxvault(["verify", "--repair"]).run().ended_with(1);
    let said = repaired.text() + &repaired.stderr;
    assert!(said.contains(&mark.display().to_string()), "{repaired}");

    fs::remove_dir(&mark).unwrap();
    fs::write(&file, &bytes).unwrap();
    let list = home.voxvault(["list"]).run().ok();
    assert!(list.text().contains("waits"), "{list}");
    assert!(!file.exists());
    home.voxvault(["verify"]).run().ok();
}
