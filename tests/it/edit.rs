//! Changing what is known of a recording: what it said before can be made to go
//! for good, its transcript corrected on the terminal, and nothing of that is
//! ever written in the clear.

use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use voxvault::crypto::Passphrase;
use voxvault::recording::RecordingId;
use voxvault::transcript::Transcript;
use voxvault::vault::frame::Kind;
use voxvault::vault::{OpenVault, Vault};

use crate::support::forensic::{Evidence, read_all};
use crate::support::library::{self, assert_whole, record, transcript};
use crate::support::needles::holds;
use crate::support::prepared::{files_below, quick_home};
use crate::support::sound::Pcm;
use crate::support::spy::Spy;
use crate::support::{Home, Key, Microphone, PASSPHRASE, Terminal, eventually};

fn open(home: &Home) -> OpenVault {
    Vault::open(&home.vault())
        .unwrap()
        .unlock(&Passphrase::new(PASSPHRASE.to_owned()))
        .unwrap()
}

/// A home with one recording, whose transcript says this.
fn home_saying(text: &str) -> (Home, RecordingId) {
    let home = quick_home();
    let open = open(&home);
    let id = record(open.vault(), "Standup", 2);
    open.merge().unwrap();
    open.add_transcript(id, 0, &transcript(text)).unwrap();
    (home, id)
}

#[test]
fn what_was_forgotten_opens_with_no_key_that_can_be_reached() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("vault");
    let spy = Spy::watching();
    let open = library::init(library::site(&dir, spy.clone()));
    let (id, other) = (
        record(open.vault(), "the title", 3),
        record(open.vault(), "the other", 1),
    );
    open.merge().unwrap();
    for (id, title, note) in [
        (id, "the title", "a note too many"),
        (other, "the other", "a note that stays"),
    ] {
        open.update_card(id, &mut |card| {
            card.title = format!("no more {title}");
            card.note = note.to_owned();
        })
        .unwrap();
        open.update_card(id, &mut |card| {
            card.title = title.to_owned();
            card.note = String::new();
        })
        .unwrap();
    }
    let attack = || {
        let mut evidence = Evidence::of_directory(&dir);
        spy.testify(&mut evidence);
        read_all(&evidence, &[PASSPHRASE])
    };
    let gone = ["no more the title", "a note too many"];
    let before = attack();
    assert!(gone.iter().all(|words| before.says(words)), "the control");

    open.forget_revisions(id).unwrap();
    let after = attack();
    assert!(!gone.iter().any(|words| after.says(words)));
    assert!(after.says("a note that stays"), "others were not asked to");
    assert_eq!(after.count(id, Kind::Sound), 3);
    assert_whole(&open, id, "the title", 3);
}

#[test]
fn forgetting_is_asked_for_alone_or_with_a_change() {
    let (home, id) = home_saying("good morning");
    let id = id.to_string();
    home.voxvault(["edit", "last", "--title", "Too frank", "--note", "secret"])
        .run()
        .ok();
    home.voxvault([
        "edit", "last", "--title", "Monday", "--note", "", "--forget",
    ])
    .run()
    .ok();
    let forgotten = home
        .voxvault(["edit", &id, "--forget", "--json"])
        .run()
        .ok();
    assert_eq!(forgotten.json()["title"], "Monday");
    assert_eq!(home.text_of(&id).trim(), "good morning");
    home.voxvault(["edit", "ffffffff", "--forget"])
        .run()
        .ended_with(4);
}

#[test]
fn a_tag_is_taken_off_however_it_is_written_and_one_that_is_not_there_is_told() {
    let (home, _) = home_saying("good morning");
    let edit = |tags: &[&str]| {
        let tags = tags.iter().flat_map(|tag| ["--tag", tag]);
        let args = ["edit", "last", "--json"].into_iter().chain(tags);
        let edited = home.voxvault(args).run().ok();
        (edited.json()["tags"].clone(), edited.stderr)
    };
    let (before, _) = edit(&["+Über", "+Work"]);
    // As `tag:` finds them, and as rules are for them.
    let (after, told) = edit(&["-u\u{308}ber", "-work"]);
    let kept = before.as_array().unwrap().len() - 2;
    assert_eq!(after.as_array().unwrap().len(), kept, "{after}");
    assert!(!told.contains("no tag"), "{told}");
    let (left, told) = edit(&["-work", "+other"]);
    assert!(told.contains("there was no tag work to take off"), "{told}");
    assert!(left.as_array().unwrap().contains(&"other".into()), "{left}");
}

fn edit(home: &Home, more: &[&str]) -> Terminal {
    let passphrase: OsString = home.passphrase_file().into();
    let args = ["--passphrase-file".into(), passphrase]
        .into_iter()
        .chain(["edit", "last", "--text"].map(OsString::from))
        .chain(more.iter().map(OsString::from));
    let terminal = Terminal::voxvault(home, args, (60, 12), Vec::new());
    terminal.wait_for("^s store");
    terminal
}

fn ends_restored(mut terminal: Terminal) {
    assert_eq!(terminal.wait_for_end(Duration::from_secs(10)), Some(0));
    eventually("the terminal is restored", Duration::from_secs(5), || {
        terminal
            .inspect(|screen| !screen.alternate_screen() && !screen.hide_cursor())
            .then_some(())
    });
}

/// The transcripts of the only recording, oldest first.
fn versions(home: &Home) -> Vec<Transcript> {
    let open = open(home);
    let recording = open.recordings().unwrap().remove(0);
    let versions = recording.versions.iter();
    versions
        .map(|version| open.transcript(recording.id, version.number).unwrap())
        .collect()
}

#[test]
fn a_corrected_transcript_is_a_version_more_and_nothing_lies_in_the_clear() {
    let (home, _) = home_saying("good morning to the landlady");
    let terminal = edit(&home, &["--tag", "+corrected"]);
    terminal.wait_for("0:00  good morning to the landlady");
    assert!(terminal.screen().contains("Standup · version 1"));
    terminal.press(Key::End);
    for _ in 0.."lady".len() {
        terminal.press(Key::Backspace);
    }
    terminal.type_text("lord");
    terminal.wait_for("to the landlord");
    terminal.wait_for("changed");
    // While it is open, nothing of it is in any file.
    let in_a_file = |text: &[u8]| {
        files_below(&home.path(""))
            .iter()
            .any(|file| holds(&fs::read(file).unwrap_or_default(), text))
    };
    assert!(!in_a_file(b"morning to the land"));
    terminal.press(Key::Ctrl('s'));
    ends_restored(terminal);
    assert!(!in_a_file(b"morning to the land"));
    assert!(in_a_file(PASSPHRASE.as_bytes()), "the control");

    let versions = versions(&home);
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[0].text(), "good morning to the landlady");
    assert_eq!(versions[1].text(), "good morning to the landlord");
    assert_eq!(versions[1].model, "tiny.en (edited)");
    assert_eq!(versions[1].settings, "edited by hand from version 1");
    assert_eq!(home.list()[0]["tags"][1], "corrected");
}

#[test]
fn leaving_the_editor_stores_nothing_and_asks_where_something_would_be_lost() {
    let (home, _) = home_saying("good morning");
    let terminal = edit(&home, &[]);
    terminal.press(Key::Ctrl('s'));
    ends_restored(terminal);

    let terminal = edit(&home, &[]);
    terminal.type_text("x");
    terminal.wait_for("xgood morning");
    terminal.press(Key::Escape);
    terminal.wait_for("throw the changes away?");
    terminal.press(Key::Enter);
    terminal.wait_for("^s store");
    terminal.wait_for("xgood morning");
    terminal.press(Key::Escape);
    terminal.wait_for("throw the changes away?");
    terminal.type_text("y");
    ends_restored(terminal);
    assert_eq!(versions(&home).len(), 1);
}

#[test]
fn a_lost_terminal_keeps_what_was_typed() {
    let (home, _) = home_saying("good morning");
    let mut terminal = edit(&home, &[]);
    terminal.type_text("very ");
    terminal.wait_for("very good morning");
    terminal.hang_up();
    terminal.wait_for_end(Duration::from_secs(10));
    assert_eq!(versions(&home)[1].text(), "very good morning");
}

#[test]
fn the_editor_needs_a_terminal_and_a_transcript() {
    let (home, _) = home_saying("good morning");
    let ended = home.voxvault(["edit", "last", "--text"]).run();
    assert!(ended.stderr.contains("terminal"), "{ended}");
    ended.ended_with(2);
    assert_eq!(versions(&home).len(), 1);
}

#[test]
fn what_is_being_recorded_is_listed_as_such_and_then_once() {
    let home = quick_home();
    let mut recorder = home
        .voxvault(["record", "-", "--title", "Now", "--format", "s16le"])
        .locked()
        .spawn_with_open_stdin();
    recorder.write(&Pcm::tone(16_000, 2.0).raw());
    // A rotation on the way takes its keys into the bag.
    let now = eventually("it is listed", Duration::from_secs(20), || {
        let list = home.list();
        list.into_iter()
            .find(|one| one["duration_s"].as_f64() > Some(1.0))
    });
    assert_eq!(now["state"], "recording");
    assert_eq!(now["title"], "Now");
    assert_eq!(now["source"], "stdin");
    let listed = home.voxvault(["list"]).run().ok().text();
    assert!(
        listed.contains("recording") && listed.contains("Now"),
        "{listed}"
    );
    let filtered = home.voxvault(["list", "--json", "title:later"]).run().ok();
    assert_eq!(filtered.json()["recordings"].as_array().unwrap().len(), 0);
    home.write("other.wav", &Pcm::tone(16_000, 1.0).wav());
    home.voxvault(["import", "--no-transcribe", "other.wav"])
        .run()
        .ok();
    let states: Vec<_> = home.list().iter().map(|one| one["state"].clone()).collect();
    assert!(
        states.contains(&"recording".into()) && states.len() == 2,
        "{states:?}"
    );

    recorder.signal(Signal::TERM);
    recorder.wait().ok();
    let list = home.list();
    assert_eq!(list.len(), 2);
    assert!(
        list.iter().all(|one| one["state"] != "recording"),
        "{list:?}"
    );
}

#[test]
fn a_microphone_is_tested_without_keeping_anything() {
    let home = quick_home();
    let deaf = home.write("alsa.conf", b"");
    home.voxvault(["devices", "--test"])
        .locked()
        .env("ALSA_CONFIG_PATH", deaf)
        .run()
        .ended_with(7);
    let Some(microphone) = Microphone::plug_into(&home) else {
        return;
    };
    let said = home.write("said.wav", &Pcm::tone(16_000, 8.0).wav());
    std::thread::scope(|scope| {
        scope.spawn(|| microphone.speak(&said));
        std::thread::sleep(Duration::from_millis(500));
        let test = |args: &[&str]| {
            let args = ["devices", "--test"].iter().chain(args).copied();
            home.voxvault(args)
                .locked()
                .microphone(&microphone)
                .run()
                .ok()
        };
        let level = test(&["--json"]).json();
        let (peak, rms) = (level["peak_dbfs"].as_f64(), level["rms_dbfs"].as_f64());
        assert!(peak > Some(-30.0) && rms > Some(-40.0), "{level}");
        let line = test(&["--device", "default"]).text();
        assert!(line.contains("peak -") && line.contains("dBFS"), "{line}");
    });

    let mut terminal = Terminal::voxvault(
        &home,
        ["devices", "--test"],
        (80, 24),
        microphone.environment(),
    );
    terminal.wait_for("peak -");
    terminal.press(Key::Enter);
    assert_eq!(terminal.wait_for_end(Duration::from_secs(10)), Some(0));
    assert!(home.list().is_empty(), "nothing was kept");
}
