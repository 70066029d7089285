//! Recording: from a microphone and from a pipe, while locked, until stopped in
//! any polite way. By `kill -9`: `torture/kills`.

use std::fs;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use voxvault::vault::frame::Kind;
use voxvault::vault::scan;

use crate::support::prepared::quick_home;
use crate::support::sound::{Pcm, claiming};
use crate::support::{Home, Microphone, clip, eventually, require_model};

/// How many segments of sound are on the disk for recordings in progress.
fn segments(home: &Home) -> usize {
    let entries = home
        .vault()
        .join("inbox")
        .read_dir()
        .into_iter()
        .flatten()
        .flatten();
    let files = entries.filter_map(|entry| fs::read(entry.path()).ok());
    files
        .map(|bytes| {
            let kinds = scan::frames(&bytes).map(|(_, frame)| frame.facts.kind);
            kinds.filter(|kind| *kind == Kind::Sound).count()
        })
        .sum()
}

/// Waits until two segments, 1.6 s, of the recording are on the disk.
fn wait_for_sound(home: &Home) {
    eventually("sound is on the disk", Duration::from_secs(20), || {
        (segments(home) >= 2).then_some(())
    });
}

/// The only recording of a vault, as the next start lists it.
fn only(home: &Home) -> serde_json::Value {
    let mut list = home.list();
    assert_eq!(list.len(), 1, "{list:?}");
    list.remove(0)
}

fn seconds(recording: &serde_json::Value) -> f64 {
    recording["duration_s"].as_f64().expect("duration_s")
}

#[test]
fn a_locked_vault_records_the_microphone_and_hears_it_after_unlock() {
    if !require_model() {
        return;
    }
    let home = quick_home();
    let Some(microphone) = Microphone::plug_into(&home) else {
        return;
    };
    let said = home.write("said.wav", &Pcm::decode(&clip("standup")).wav());
    let recorder = home
        .voxvault(["record", "--title", "Standup", "--tag", "work"])
        .locked()
        .microphone(&microphone)
        .spawn_with_open_stdin();
    wait_for_sound(&home);
    microphone.speak(&said);
    thread::sleep(Duration::from_millis(300));
    recorder.signal(Signal::TERM);
    let ended = recorder.wait().ok();
    let id = ended.text().trim().to_owned();
    assert_eq!(id.len(), 32, "{ended}");

    home.voxvault(["list"]).locked().run().ended_with(3);
    home.voxvault(["transcribe"]).run().ok();
    let recording = only(&home);
    assert_eq!(recording["id"], id.as_str());
    assert_eq!(recording["title"], "Standup");
    assert_eq!(recording["source"], "mic");
    assert_eq!(recording["state"], "transcribed");
    assert!(seconds(&recording) > 10.5, "{recording}");
    let text = home.text_of(&id).to_lowercase();
    assert!(
        text.contains("heater") && text.contains("migration"),
        "{text}"
    );
}

#[test]
fn a_locked_vault_records_a_pipe_in_both_forms() {
    if !require_model() {
        return;
    }
    let home = quick_home();
    // As arecord writes it into a pipe: a length that it can't know.
    let wav = claiming(Pcm::decode(&clip("train")).wav(), 0x7fff_f000);
    let raw = Pcm::decode(&clip("shopping")).at(16_000).raw();
    home.voxvault(["record", "-", "--title", "wav"])
        .locked()
        .stdin(wav)
        .run()
        .ok();
    home.voxvault([
        "record", "-", "--title", "raw", "--format", "s16le", "--rate", "16000",
    ])
    .locked()
    .stdin(raw)
    .run()
    .ok();
    home.voxvault(["transcribe"]).run().ok();
    for (title, words, length) in [
        ("wav", ["hotel", "platform"], 8.7),
        ("raw", ["tomatoes", "rice"], 8.9),
    ] {
        let id = home.id_of(title);
        let text = home.text_of(&id).to_lowercase();
        assert!(
            words.iter().all(|word| text.contains(word)),
            "{title}: {text}"
        );
        let list = home.list();
        let recording = list.iter().find(|one| one["id"] == id.as_str()).unwrap();
        assert_eq!(recording["source"], "stdin");
        assert!((seconds(recording) - length).abs() < 0.1, "{recording}");
    }
}

#[test]
fn every_polite_end_keeps_the_sound_and_counts_as_success() {
    let home = quick_home();
    let raw = Pcm::tone(16_000, 2.0).raw();
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut recorder = home
            .voxvault(["record", "-", "--format", "s16le"])
            .locked()
            .spawn_with_open_stdin();
        recorder.write(&raw);
        wait_for_sound(&home);
        recorder.signal(signal);
        // The pipe stays open: the end comes from the signal.
        eventually(
            &format!("{signal:?} ends it"),
            Duration::from_secs(5),
            || (!recorder.is_running()).then_some(()),
        );
        recorder.wait().ok();
        let recording = only(&home);
        assert!(seconds(&recording) >= 1.6, "{signal:?}: {recording}");
        home.voxvault(["shred", "last", "--yes"]).run().ok();
    }
}

#[test]
fn signals_end_a_microphone_recording_with_its_sound_kept() {
    let home = quick_home();
    let Some(microphone) = Microphone::plug_into(&home) else {
        return;
    };
    for signal in [Signal::INT, Signal::HUP] {
        let recorder = home
            .voxvault(["record", "--no-transcribe"])
            .locked()
            .microphone(&microphone)
            .spawn_with_open_stdin();
        wait_for_sound(&home);
        recorder.signal(signal);
        // Nobody spoke.
        let ended = recorder.wait().ended_with(7);
        assert!(ended.stderr.contains("only silence"), "{ended}");
        let recording = only(&home);
        assert!(seconds(&recording) > 0.8, "{recording}");
        assert_eq!(recording["state"], "silent");
        home.voxvault(["shred", "last", "--yes"]).run().ok();
    }
}

#[test]
fn a_silent_recording_is_named_silent_and_never_transcribed_also_when_it_is_named() {
    let home = quick_home();
    let silence = Pcm::silence(16_000, 3.0).wav();
    let recorded = home
        .voxvault(["record", "-", "--no-transcribe"])
        .stdin(silence)
        .run()
        .ok();
    assert!(
        recorded.stderr.contains("nothing can be heard in it"),
        "{recorded}"
    );
    // No model is needed for nothing.
    let nowhere = home.path("no models");
    for args in [&["last"][..], &["last", "--json"], &["--pending"], &[]] {
        let args = [&["transcribe"], args].concat();
        let run = home.voxvault(args.clone()).env("VOXVAULT_MODELS", &nowhere);
        let ended = run.run().ok();
        let told = ended
            .stderr
            .contains("is silent: there is nothing to transcribe");
        assert_eq!(told, args.contains(&"last"), "{ended}");
        let recording = only(&home);
        assert_eq!(recording["state"], "silent", "{recording}");
        assert_eq!(recording["versions"], serde_json::json!([]));
    }
    let found = home.voxvault(["list", "is:silent", "--json"]).run().ok();
    assert_eq!(found.json()["recordings"].as_array().unwrap().len(), 1);
    let shown = home.voxvault(["show", "last"]).run().ended_with(4);
    assert!(
        shown.stderr.contains("there is nothing to hear in it"),
        "{shown}"
    );
    assert!(!shown.stderr.contains("transcribe"), "{shown}");
}

#[test]
fn a_recording_ends_by_itself_after_its_time() {
    let home = quick_home();
    let from_pipe = home
        .voxvault([
            "record",
            "-",
            "--format",
            "s16le",
            "--for",
            "3s",
            "--no-transcribe",
        ])
        .stdin(Pcm::tone(16_000, 10.0).raw());
    from_pipe.run().ok();
    assert!(
        (seconds(&only(&home)) - 3.0).abs() < 0.001,
        "{}",
        only(&home)
    );
    home.voxvault(["shred", "last", "--yes"]).run().ok();

    let Some(microphone) = Microphone::plug_into(&home) else {
        return;
    };
    let record = home
        .voxvault(["record", "--for", "2s", "--no-transcribe"])
        .microphone(&microphone);
    // Nobody speaks: it gives zeros.
    record.run().ended_with(7);
    assert!((seconds(&only(&home)) - 2.0).abs() < 0.1, "{}", only(&home));
}
