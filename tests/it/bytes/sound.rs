//! Files that are to be taken in: no sound, cut off, or lying about themselves.

use std::fs;

use super::assert_civil;
use crate::support::prepared::quick_home;
use crate::support::sound::{Pcm, claiming};
use crate::support::{Home, clip, require_model};

/// How long the last recording is, in seconds.
fn length_of_last(home: &Home) -> f64 {
    let list = home.list();
    list.first().expect("a recording")["duration_s"]
        .as_f64()
        .unwrap()
}

#[test]
fn what_is_no_sound_is_refused_with_a_reason_and_leaves_nothing() {
    let home = quick_home();
    let wav = Pcm::tone(16_000, 1.0).wav();
    let flac = fs::read(clip("train")).unwrap();
    let bad: Vec<(&str, Vec<u8>)> = vec![
        ("empty.wav", Vec::new()),
        ("empty.flac", Vec::new()),
        ("text.wav", b"Dear diary,\n".repeat(40).to_vec()),
        ("text.mp3", b"Dear diary,\n".repeat(40).to_vec()),
        ("header-only.wav", wav[..44].to_vec()),
        ("half-a-header.wav", wav[..20].to_vec()),
        ("four-bytes.opus", flac[..4].to_vec()),
        ("zeros.flac", vec![0; 50_000]),
        ("magic-only.flac", b"fLaC".to_vec()),
        ("magic-only.mp3", b"ID3\x04\0\0\0\0\0\0".to_vec()),
        ("no-channels.wav", {
            let mut wav = wav.clone();
            wav[22] = 0;
            wav
        }),
        ("no-rate.wav", {
            let mut wav = wav.clone();
            wav[24..28].fill(0);
            wav
        }),
        ("unknown-code.wav", {
            let mut wav = wav.clone();
            wav[20] = 0x77;
            wav
        }),
    ];
    for (name, bytes) in bad {
        home.write(name, &bytes);
        let ended = home.voxvault(["import", "--no-transcribe", name]).run();
        assert_civil(&ended, name);
        assert_eq!(ended.code(), Some(1), "{ended}");
        assert!(ended.stderr.contains(name), "the file is named: {ended}");
        assert_eq!(ended.text(), "", "{name} has no id");
        let piped = home
            .voxvault(["record", "-", "--no-transcribe"])
            .stdin(bytes)
            .run();
        assert_civil(&piped, name);
        assert_ne!(piped.code(), Some(0), "{name} through a pipe: {piped}");
    }
    assert!(
        home.list().is_empty(),
        "something was half-imported: {:?}",
        home.list()
    );
    let inbox = home.vault().join("inbox");
    assert_eq!(
        inbox.read_dir().map_or(0, Iterator::count),
        0,
        "something stayed in the inbox"
    );
}

#[test]
fn a_header_that_lies_about_its_length_costs_no_sound() {
    let honest = Pcm::tone(16_000, 3.0);
    for (what, claimed) in [
        ("nothing", 0),
        ("too much", 10_000_000),
        ("two gigabytes", 0x7fff_ffff),
        ("as much as fits", 0xffff_ffff),
        ("an odd number", 96_001),
    ] {
        let home = quick_home();
        home.write("liar.wav", &claiming(honest.wav(), claimed));
        let ended = home
            .voxvault(["import", "--no-transcribe", "liar.wav"])
            .run();
        assert_civil(&ended, what);
        assert_eq!(ended.code(), Some(0), "it claims {what}: {ended}");
        let length = length_of_last(&home);
        assert!(
            (length - 3.0).abs() < 0.001,
            "it claims {what}, {length} s were taken"
        );
    }
}

#[test]
fn telephones_and_studios_and_blinks_are_taken() {
    let home = quick_home();
    let speech = Pcm::decode(&clip("train"));
    home.write("telephone.wav", &speech.at(8_000).mulaw_wav());
    home.write("studio.wav", &Pcm::tone(96_000, 2.0).wide_wav(6));
    home.write("blink.wav", &Pcm::tone(16_000, 0.05).wav());
    for (file, seconds) in [("telephone", 8.7), ("studio", 2.0), ("blink", 0.05)] {
        let name = format!("{file}.wav");
        let ended = home
            .voxvault(["import", "--no-transcribe", &name])
            .run()
            .ok();
        assert_civil(&ended, file);
        let list = home.list();
        let one = list.iter().find(|one| one["title"] == file).unwrap();
        let length = one["duration_s"].as_f64().unwrap();
        assert!((length - seconds).abs() < 0.05, "{file}: {length} s");
        assert!(
            one["signal"]["peak_dbfs"].as_f64().unwrap() > -20.0,
            "{one}"
        );
        let out = format!("{file}-out.wav");
        let id = one["id"].as_str().unwrap();
        home.voxvault(["export", id, "--format", "wav", "-o", &out])
            .run()
            .ok();
        let back = Pcm::decode(&home.path(&out));
        assert!(
            (back.seconds() - length).abs() < 0.001,
            "{file}: {} s came back",
            back.seconds()
        );
    }
    if require_model() {
        home.voxvault(["transcribe"]).run().ok();
        let text = home.text_of(&home.id_of("telephone")).to_lowercase();
        assert!(
            text.contains("hotel") || text.contains("platform"),
            "{text}"
        );
    }
}

#[test]
fn minutes_of_silence_are_silent_and_never_turned_into_words() {
    let home = quick_home();
    home.write("silence.wav", &Pcm::silence(16_000, 240.0).wav());
    let ended = home
        .voxvault(["import", "--json", "silence.wav"])
        .run()
        .ok();
    assert_civil(&ended, "silence");
    let recording = home.list().remove(0);
    assert_eq!(recording["state"], "silent");
    assert_eq!(recording["duration_s"], 240.0);
    assert_eq!(recording["versions"], serde_json::json!([]));
    home.voxvault(["transcribe", "--pending"]).run().ok();
    assert_eq!(home.list()[0]["versions"], serde_json::json!([]));
    if require_model() {
        // Also if asked for by name: a transcript may be made, without a word.
        let ended = home.voxvault(["transcribe", "last"]).run();
        assert_civil(&ended, "silence by name");
        let shown = home.voxvault(["show", "last"]).run();
        assert_eq!(shown.text().trim(), "", "{shown}");
    }
}

#[test]
fn what_was_cut_off_is_kept_as_far_as_it_goes() {
    let home = quick_home();
    // FLAC of our own making, and Ogg Opus as it lies in the examples.
    home.write("whole.wav", &Pcm::decode(&clip("train")).wav());
    home.voxvault(["import", "--no-transcribe", "whole.wav"])
        .run()
        .ok();
    home.voxvault(["export", "last", "--format", "flac", "-o", "whole.flac"])
        .run()
        .ok();
    let opus = fs::read(clip("train")).unwrap();
    let flac = fs::read(home.path("whole.flac")).unwrap();
    let wav = fs::read(home.path("whole.wav")).unwrap();
    for (kind, whole) in [("flac", &flac), ("opus", &opus), ("wav", &wav)] {
        for part in [0.03, 0.5, 0.97] {
            let home = quick_home();
            let name = format!("cut.{kind}");
            home.write(&name, &whole[..(whole.len() as f64 * part) as usize]);
            let ended = home.voxvault(["import", "--no-transcribe", &name]).run();
            assert_civil(&ended, &format!("{part} of {name}"));
            let list = home.list();
            if ended.code() == Some(0) {
                let length = list[0]["duration_s"].as_f64().unwrap();
                let expected = 8.7 * part;
                assert!(
                    (length - expected).abs() < 1.3,
                    "{part} of {name}: {length} s"
                );
                assert!(
                    ended.stderr.contains(&name),
                    "it says that it was cut off: {ended}"
                );
            } else {
                assert!(part < 0.1, "half a file is worth something: {ended}");
                assert!(list.is_empty());
            }
        }
    }
}

#[test]
fn a_noisy_file_of_any_kind_is_refused_or_played_and_never_a_panic() {
    let home = quick_home();
    home.write("whole.wav", &Pcm::tone(44_100, 1.0).wav());
    home.voxvault(["import", "--no-transcribe", "whole.wav"])
        .run()
        .ok();
    home.voxvault(["export", "last", "--format", "flac", "-o", "whole.flac"])
        .run()
        .ok();
    let kinds = [
        ("wav", fs::read(home.path("whole.wav")).unwrap()),
        ("flac", fs::read(home.path("whole.flac")).unwrap()),
        ("opus", fs::read(clip("dentist")).unwrap()),
    ];
    let folder = home.path("noisy");
    fs::create_dir(&folder).unwrap();
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % below
    };
    for (kind, whole) in &kinds {
        for round in 0..40 {
            let mut bytes = whole.clone();
            // The head is where formats are fragile.
            let reach = if round % 2 == 0 { 200 } else { bytes.len() };
            for _ in 0..=round % 5 {
                let at = random(reach.min(bytes.len()));
                bytes[at] = random(256) as u8;
            }
            fs::write(folder.join(format!("{round:02}.{kind}")), bytes).unwrap();
        }
    }
    let ended = home.voxvault(["import", "--no-transcribe", "noisy"]).run();
    assert_civil(&ended, "noisy files");
    let ended = home.voxvault(["list", "--json"]).run();
    assert_civil(&ended, "listing what came of noisy files");
}
