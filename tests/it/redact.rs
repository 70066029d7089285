//! A span taken out of a recording for good: it is asked for, its words are in
//! nothing that opens any more, and its sound is silent. And a store written anew.

use std::ffi::OsString;
use std::fs;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use voxvault::recording::RecordingId;
use voxvault::vault::frame::Kind;

use crate::support::forensic::{Evidence, Findings, read_all};
use crate::support::prepared::{copy_dir, home_with_examples, quick_home};
use crate::support::sound::Pcm;
use crate::support::strace::Trace;
use crate::support::{Home, PASSPHRASE, Terminal, can_require, eventually};

/// The packets of every readable segment of a recording whose number is in this
/// range.
fn packets(found: &Findings, id: RecordingId, segments: std::ops::Range<u32>) -> Vec<&[u8]> {
    let of = |plaintext: &&Vec<u8>| {
        // Facts: version 2, kind, 0, id 16, epoch 4, number 4, revision 4.
        plaintext.get(2) == Some(&(Kind::Sound as u8))
            && plaintext.get(4..20) == Some(id.as_bytes())
            && plaintext
                .get(24..28)
                .and_then(|bytes| bytes.try_into().ok())
                .is_some_and(|bytes| segments.contains(&u32::from_le_bytes(bytes)))
    };
    let plaintexts = found.plaintexts.iter().filter(of);
    plaintexts
        .filter_map(|plaintext| plaintext.get(36..))
        .collect()
}

fn rms_dbfs(sound: &Pcm, from_s: f64, to_s: f64) -> f64 {
    let at = |seconds: f64| (seconds * f64::from(sound.rate_hz)) as usize;
    let span = &sound.samples[at(from_s)..at(to_s).min(sound.samples.len())];
    let power: f64 = span
        .iter()
        .map(|x| (f64::from(*x) / 32_768.0).powi(2))
        .sum();
    10.0 * (power / span.len() as f64).max(1e-12).log10()
}

fn heard(home: &Home, id: &str, name: &str) -> Pcm {
    home.voxvault(["export", id, "--format", "wav", "-o", name])
        .run()
        .ok();
    Pcm::decode(&home.path(name))
}

fn hits(home: &Home, query: &str) -> u64 {
    let found = home.voxvault(["search", query, "--json"]).run().ok();
    found.json()["total"].as_u64().unwrap()
}

#[test]
fn a_redacted_sentence_is_silent_and_in_nothing_that_opens() {
    let Some(home) = home_with_examples() else {
        return;
    };
    let Some(mut trace) = Trace::new(&home, "trace") else {
        return;
    };
    let id = home.id_of("standup");
    let shown = home
        .voxvault(["show", &id, "--format", "json"])
        .run()
        .ok()
        .json();
    let sentence = &shown["segments"][1];
    assert!(sentence["text"].as_str().unwrap().contains("heater"));
    let from_s = sentence["start_s"].as_f64().unwrap();
    let to_s = sentence["end_s"].as_f64().unwrap();
    let before = heard(&home, &id, "before.wav");
    assert!(rms_dbfs(&before, from_s, to_s) > -40.0, "the control");
    assert_eq!(hits(&home, "heater"), 1, "the control");
    let old = home.path("old");
    copy_dir(&home.vault(), &old);

    let (from, to) = (from_s.to_string(), to_s.to_string());
    let done = trace
        .run(home.voxvault(["redact", &id, &from, &to, "--yes", "--json"]))
        .ok();
    let receipt = done.json();
    assert_eq!(receipt["redacted"]["id"], id.as_str());
    assert_eq!(receipt["redacted"]["transcripts"], 1);
    let beside = &receipt["redacted"]["beside"][0];
    assert_eq!(beside["transcript"], 1, "{beside}");
    assert!(beside["times_doubted"].is_boolean(), "{beside}");
    let around = beside["text"].as_str().unwrap();
    assert!(
        around.contains("the tests ") && around.contains("[redacted]"),
        "{around}"
    );
    let told = |at: &str| receipt["redacted"][at].as_f64().unwrap();
    assert!((told("from_s") - from_s).abs() < 0.001 && (told("to_s") - to_s).abs() < 0.001);
    assert!(!receipt["erased"].as_array().unwrap().is_empty());
    assert!(!receipt["not_erased"].as_array().unwrap().is_empty());

    let text = home.text_of(&id);
    assert!(
        text.contains("[redacted]") && !text.contains("heater"),
        "{text}"
    );
    assert!(text.contains("migration"), "{text}");
    assert_eq!((hits(&home, "heater"), hits(&home, "migration")), (0, 1));
    let after = heard(&home, &id, "after.wav");
    assert_eq!(before.samples.len(), after.samples.len());
    let silent = rms_dbfs(&after, from_s + 0.02, to_s);
    assert!(silent < -80.0, "{silent} dBFS");
    let untouched = ((from_s - 0.03) * 48_000.0) as usize;
    assert_eq!(before.samples[..untouched], after.samples[..untouched]);

    // The same file again is known, and does not bring the words back.
    let clip = crate::support::clip("standup").into_os_string();
    let again = home
        .voxvault(["import".into(), "--no-transcribe".into(), clip])
        .run()
        .ok();
    home.voxvault(["list"]).run().ok();
    assert_eq!(home.list().len(), 8, "{again}");
    assert_eq!(hits(&home, "heater"), 0);

    // Whatever is in the directory, and whatever was ever written there.
    let mut evidence = Evidence::of_directory(&home.vault());
    trace.testify(&home, &mut evidence);
    let known: RecordingId = id.parse().unwrap();
    let segment = |at_s: f64| (at_s / 0.8) as u32;
    let gone = segment(from_s) + 1..segment(to_s);
    let before = read_all(&Evidence::of_directory(&old), &[PASSPHRASE]);
    let found = read_all(&evidence, &[PASSPHRASE]);
    for words in ["heater", "landlord", "land lord"] {
        assert!(!found.says(words), "{words}");
    }
    assert!(before.says("heater"), "the control: a copy from before");
    assert!(found.says("migration"), "the control: what stays");
    let spoken = packets(&before, known, gone.clone());
    assert!(spoken.len() >= 3, "the control");
    let everything = packets(&found, known, 0..u32::MAX);
    assert!(!everything.iter().any(|segment| spoken.contains(segment)));
    let kept = packets(&before, known, 0..gone.start - 2);
    assert!(!kept.is_empty() && kept.iter().all(|segment| everything.contains(segment)));
}

#[test]
fn words_that_are_heard_in_the_span_go_whatever_times_a_transcript_gives_them() {
    let Some(examples) = home_with_examples() else {
        return;
    };
    let id = examples.id_of("standup");
    heard(&examples, &id, "talk.wav");
    // A program that lagged behind by two seconds, and never stumbled.
    let said = "Good morning, yesterday I finished the migration and the tests are green. \
                Today I look at the broken heater in the lab";
    let words = said.split(' ').zip(0_u32..).map(|(word, at)| {
        let start = 2.5 + 0.33 * f64::from(at);
        json!({ "word": word, "start": start, "end": start + 0.33 })
    });
    let words: Vec<Value> = words.collect();
    let segment = json!({ "start": 2.5, "end": 10.0, "text": said, "words": words });
    let transcript = json!({ "language": "en", "segments": [segment] });
    let nobody = examples.path("no-models");
    fs::create_dir(&nobody).unwrap();

    let redacted = |by_ear: bool| {
        let home = quick_home();
        fs::copy(examples.path("talk.wav"), home.path("talk.wav")).unwrap();
        home.write("talk.json", transcript.to_string().as_bytes());
        let import = ["import", "--no-transcribe", "talk.wav", "talk.json"];
        home.voxvault(import).run().ok();
        assert!(
            home.text_of("last")
                .contains("the broken heater in the lab")
        );
        let mut redact = home.voxvault(["redact", "last", "5.7", "6.7", "--yes", "--json"]);
        if !by_ear {
            redact = redact.env("VOXVAULT_MODELS", &nobody);
        }
        let done = redact.run().ok();
        assert_eq!(done.stderr.contains("nobody listened"), !by_ear, "{done}");
        assert_eq!(done.json()["redacted"]["listened"], by_ear, "{done}");
        home.text_of("last")
    };
    let by_time = redacted(false);
    assert!(by_time.contains("broken heater"), "the control: {by_time}");
    let text = redacted(true);
    assert!(
        !text.contains("broken") && !text.contains("heater"),
        "{text}"
    );
    assert!(text.contains("I finished the migration"), "{text}");
}

#[test]
fn a_person_is_asked_with_the_words_that_go_and_no_is_the_default() {
    let Some(home) = home_with_examples() else {
        return;
    };
    let id = home.id_of("standup");
    let ask = |answer: &str, code: u32| {
        let passphrase: OsString = home.passphrase_file().into();
        let args = ["--passphrase-file".into(), passphrase]
            .into_iter()
            .chain(["redact", &id, "5", "10.5"].map(OsString::from));
        let mut terminal = Terminal::voxvault(&home, args, (100, 30), Vec::new());
        terminal.wait_for("for good? [y/N]");
        let screen = terminal.screen();
        for due in ["standup", "0:05.0 to", "words that go", "heater"] {
            assert!(screen.contains(due), "{due}: {screen}");
        }
        terminal.type_text(answer);
        assert_eq!(
            terminal.wait_for_end(Duration::from_secs(20)),
            Some(code),
            "{}",
            terminal.screen()
        );
        terminal.screen()
    };
    ask("\r", 1);
    assert!(home.text_of(&id).contains("heater"));
    let told = ask("y\r", 0);
    assert!(
        told.contains("title, tags and note were not touched"),
        "{told}"
    );
    assert!(told.contains("transcript 1: \"... "), "{told}");
    assert!(told.contains("the times of words are estimates"), "{told}");
    assert!(!home.text_of(&id).contains("heater"));
}

#[test]
fn spans_that_are_none_are_refused_and_change_nothing() {
    let home = quick_home();
    home.write("tone.wav", &Pcm::tone(16_000, 3.0).wav());
    home.voxvault(["import", "--no-transcribe", "tone.wav"])
        .run()
        .ok();
    let id = home.id_of("tone");
    let before = heard(&home, &id, "before.wav");
    let refused: [(&[&str], i32); 8] = [
        (&["redact", "last", "0", "1"], 2),
        (&["redact", "last", "2", "1", "--yes"], 2),
        (&["redact", "last", "1", "1", "--yes"], 2),
        (&["redact", "last", "3.5", "4", "--yes"], 2),
        (&["redact", "last", "1", "99", "--yes"], 2),
        (&["redact", "last", "soon", "2", "--yes"], 2),
        (&["redact", "abc", "0", "1", "--yes"], 2),
        (&["redact", "ffffffff", "0", "1", "--yes"], 4),
    ];
    for (args, code) in refused {
        let ended = home.voxvault(args.iter().copied()).run();
        assert!(ended.stderr.contains("hint: "), "{ended}");
        ended.ended_with(code);
    }
    assert_eq!(heard(&home, &id, "same.wav").samples, before.samples);
    // Without a transcript it is the sound alone; its end is told in seconds.
    let done = home
        .voxvault(["redact", "last", "0:01", "3.9", "--yes"])
        .run()
        .ok();
    assert!(done.text().contains("0 transcripts lost words"), "{done}");
    let after = heard(&home, &id, "after.wav");
    assert!(rms_dbfs(&after, 1.03, 3.0) < -80.0);
    assert_eq!(after.samples[..47_000], before.samples[..47_000]);

    let mut recorder = home
        .voxvault(["record", "-", "--title", "Now", "--format", "s16le"])
        .locked()
        .spawn_with_open_stdin();
    recorder.write(&Pcm::tone(16_000, 2.0).raw());
    let running = eventually("it is listed", Duration::from_secs(20), || {
        let list = home.list();
        let now = list.into_iter().find(|one| one["title"] == "Now");
        now.filter(|one| one["duration_s"].as_f64() > Some(1.0))
    });
    let id = running["id"].as_str().unwrap();
    let ended = home.voxvault(["redact", id, "0", "1", "--yes"]).run();
    assert!(ended.stderr.contains("stop it first"), "{ended}");
    ended.ended_with(1);
    recorder.signal(Signal::TERM);
    recorder.wait().ok();
}

#[test]
fn a_scrub_leaves_no_sealed_byte_of_what_was_shredded() {
    let home = quick_home();
    for (name, seconds) in [("kept", 3.0), ("doomed", 400.0)] {
        home.write(&format!("{name}.wav"), &Pcm::tone(8_000, seconds).wav());
        home.voxvault(["import", "--no-transcribe", &format!("{name}.wav")])
            .run()
            .ok();
    }
    let [kept, doomed] = ["kept", "doomed"].map(|title| home.id_of(title));
    let id: RecordingId = doomed.parse().unwrap();
    let shredded = home.voxvault(["shred", &doomed, "--yes"]).run().ok();
    assert!(shredded.stderr.contains("voxvault scrub"), "{shredded}");
    let lying = || Evidence::of_directory(&home.vault()).frames_of(id).len();
    assert!(lying() > 100, "the control: {}", lying());

    let done = home.voxvault(["scrub", "--json"]).run().ok().json();
    let bytes = |at: &str| done["scrubbed"][at].as_u64().unwrap();
    assert!(bytes("before_bytes") > bytes("after_bytes"), "{done}");
    let store = fs::metadata(home.vault().join("store.redb")).unwrap();
    assert_eq!(store.len(), bytes("after_bytes"));
    assert_eq!(lying(), 0);
    assert_eq!(home.list().len(), 1);
    assert!(rms_dbfs(&heard(&home, &kept, "kept-after.wav"), 0.5, 2.5) > -20.0);
    let names = fs::read_dir(home.vault()).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    let odd = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("store.redb.")
    };
    assert!(!names.iter().any(odd), "{names:?}");
    let told = home.voxvault(["scrub"]).run().ok().text();
    assert!(
        told.contains("bytes") && told.contains("out of reach"),
        "{told}"
    );
}

#[test]
fn a_scrub_without_room_for_a_second_copy_says_so_and_changes_nothing() {
    let home = Home::new();
    let place = home.path("tiny");
    fs::create_dir(&place).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=16m,mode=0700", "tiny"])
        .arg(&place)
        .status();
    let mounted = mounted.is_ok_and(|status| status.success());
    if !can_require(mounted, "can't mount a small file system (needs root)") {
        return;
    }
    let vault = place.join("vault");
    crate::support::prepared::make_quick_vault(&vault);
    let on_it = |args: &[&str]| {
        let mut args: Vec<&str> = args.to_vec();
        args.extend(["--vault", vault.to_str().unwrap()]);
        home.voxvault(args)
    };
    home.write("tone.wav", &Pcm::tone(8_000, 200.0).wav());
    on_it(&["import", "--no-transcribe", "tone.wav"]).run().ok();
    on_it(&["list"]).run().ok();
    let filler = place.join("filler");
    let mut size = 16 << 20;
    while size > 4096 && fs::write(&filler, vec![7; size]).is_err() {
        size = size / 8 * 7;
    }
    let store = || fs::metadata(vault.join("store.redb")).unwrap().len();
    let before = store();
    let ended = on_it(&["scrub"]).run();
    assert!(
        ended.stderr.contains("are free; nothing was changed"),
        "{ended}"
    );
    ended.ended_with(9);
    assert_eq!(store(), before);
    on_it(&["export", "last", "--format", "opus", "-o", "-"])
        .run()
        .ok();
    fs::remove_file(&filler).unwrap();
    on_it(&["scrub"]).run().ok();
    on_it(&["export", "last", "--format", "opus", "-o", "-"])
        .run()
        .ok();
    Command::new("umount").arg("-l").arg(&place).status().ok();
}

#[test]
fn of_a_recording_whose_sound_was_shredded_it_does_not_say_that_it_is_silent() {
    let home = quick_home();
    home.write("talk.wav", &Pcm::tone(16_000, 3.0).wav());
    let words = b"1\n00:00:00,100 --> 00:00:01,900\nsecret\n";
    home.write("talk.srt", words);
    home.voxvault(["import", "talk.wav"]).run().ok();
    home.write("mute.wav", &Pcm::tone(16_000, 4.0).wav());
    let args = ["import", "--no-transcribe", "mute.wav"];
    home.voxvault(args).run().ok();
    let waits = || {
        home.voxvault(["list", "is:untranscribed", "--json"])
            .run()
            .ok()
    };
    let waiting = || waits().json()["recordings"].as_array().unwrap().len();
    assert_eq!(waiting(), 1, "the control");
    for title in ["talk", "mute"] {
        let id = home.id_of(title);
        home.voxvault(["shred", &id, "--audio-only", "--yes"])
            .run()
            .ok();
    }
    let id = home.id_of("talk");
    let done = home.voxvault(["redact", &id, "0", "2", "--yes"]).run().ok();
    assert!(
        done.text().contains("its sound was shredded before"),
        "{done}"
    );
    assert!(!done.text().contains("is silent there"), "{done}");
    // With no sound nothing can be transcribed any more.
    assert_eq!(waiting(), 0);
    let list = home.list();
    let mute = list.iter().find(|one| one["title"] == "mute").unwrap();
    assert_eq!(mute["state"], "failed");
}
