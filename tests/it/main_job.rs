//! The main job, from end to end, with a real speech model: what is said goes
//! in, is found again by its words, goes out in forms others can read, and can
//! be destroyed.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::prepared::{CLIPS, home_with_examples, quick_home};
use crate::support::sound::{Pcm, measure_wav};
use crate::support::{Home, PASSPHRASE, clip, require_model, require_shared_speech};

/// What scripts read of each recording.
const FIELDS: [&str; 16] = [
    "id",
    "recorded_at",
    "duration_s",
    "title",
    "tags",
    "note",
    "language",
    "source",
    "device",
    "pinned",
    "keep_audio_until",
    "keep_text_until",
    "state",
    "signal",
    "audio_bytes",
    "versions",
];

fn search(home: &Home, query: &str) -> Value {
    home.voxvault(["search", "--json", query]).run().ok().json()
}

fn ids_found(answer: &Value) -> Vec<&str> {
    let hits = answer["hits"].as_array().expect("hits");
    hits.iter()
        .map(|hit| hit["id"].as_str().expect("an id"))
        .collect()
}

/// Checks every rule of SubRip, and answers with the cues' texts.
fn cues(srt: &str) -> Vec<String> {
    let time = |text: &str| -> u64 {
        let (clock, ms) = text
            .split_once(',')
            .expect("a comma before the milliseconds");
        let parts: Vec<u64> = clock.split(':').map(|part| part.parse().unwrap()).collect();
        let [hours, minutes, seconds] = parts[..] else {
            panic!("{text} is no time");
        };
        assert!(minutes < 60 && seconds < 60 && ms.len() == 3, "{text}");
        ((hours * 60 + minutes) * 60 + seconds) * 1_000 + ms.parse::<u64>().unwrap()
    };
    let mut last_end = 0;
    let cues = srt.trim_end().split("\n\n").enumerate();
    let texts = cues.map(|(index, cue)| {
        let mut lines = cue.lines();
        assert_eq!(
            lines.next(),
            Some(&*(index + 1).to_string()),
            "cues count from 1"
        );
        let (start, end) = lines.next().unwrap().split_once(" --> ").expect("an arrow");
        assert!(time(start) < time(end), "a cue ends after it begins: {cue}");
        assert!(last_end <= time(start) + 1, "cues don't overlap: {cue}");
        last_end = time(end);
        let text: Vec<&str> = lines.collect();
        assert!(!text.is_empty(), "a cue says something");
        text.join(" ")
    });
    texts.collect()
}

/// Whether a sound file sounds: how long it is and how loud at most.
fn playable(file: &Path) -> (f64, u16) {
    let sound = Pcm::decode(file);
    let peak = sound
        .samples
        .iter()
        .map(|x| x.unsigned_abs())
        .max()
        .unwrap();
    (sound.seconds(), peak)
}

#[test]
fn what_is_taken_in_is_transcribed_found_exported_edited_and_destroyed() {
    if !require_model() {
        return;
    }
    let home = Home::new();
    home.voxvault(["init"]).run().ok();

    // In, from a folder: what is not sound in it is skipped.
    let folder = home.path("memos");
    fs::create_dir(&folder).unwrap();
    for name in CLIPS {
        fs::copy(clip(name), folder.join(name).with_extension("opus")).unwrap();
    }
    fs::write(folder.join("notes.txt"), "not sound").unwrap();
    let taken = home
        .voxvault(["import", "--json", "--no-transcribe", "memos"])
        .run()
        .ok()
        .json();
    assert_eq!(taken["recordings"].as_array().unwrap().len(), CLIPS.len());
    assert_eq!(taken["refused"], Value::Array(vec![]));
    let list = home.list();
    assert!(list.iter().all(|one| one["state"] == "pending"), "{list:?}");
    home.voxvault(["transcribe", "--pending"]).run().ok();

    // Everything a script relies on is in the list.
    let list = home.list();
    assert_eq!(list.len(), CLIPS.len());
    for recording in &list {
        for field in FIELDS {
            assert!(
                recording.get(field).is_some(),
                "{field} is missing in {recording}"
            );
        }
        assert_eq!(recording["state"], "transcribed");
        assert_eq!(recording["source"], "import");
        assert_eq!(recording["language"], "en");
        assert_eq!(recording["versions"][0]["number"], 1);
        let seconds = recording["duration_s"].as_f64().unwrap();
        assert!((7.0..14.0).contains(&seconds), "{recording}");
        assert!(recording["audio_bytes"].as_u64().unwrap() > 20_000);
    }

    // Found by what was said, the right one only, at the right moment.
    let standup = home.id_of("standup");
    let answer = search(&home, "heater");
    assert_eq!(ids_found(&answer), [standup.as_str()]);
    let moment = &answer["hits"][0]["moments"][0];
    let text = moment["text"].as_str().unwrap();
    let [from, to] = [0, 1].map(|end| moment["marks"][0][end].as_u64().unwrap() as usize);
    assert_eq!(text[from..to].to_lowercase(), "heater");
    let at = moment["start_s"].as_f64().unwrap();
    assert!(
        (4.5..8.0).contains(&at),
        "the heater is spoken of about 6 s in, not at {at}"
    );
    assert_eq!(search(&home, "zeppelin")["total"], 0);
    assert_eq!(
        ids_found(&search(&home, "tomatoes -thursday")),
        [home.id_of("garden-sensor")]
    );

    // Out: text, sound.
    let srt = home
        .voxvault(["show", &standup, "--format", "srt"])
        .run()
        .ok()
        .text();
    assert!(cues(&srt).join(" ").to_lowercase().contains("heater"));
    home.voxvault(["export", &standup, "--format", "opus", "-o", "out.opus"])
        .run()
        .ok();
    home.voxvault(["export", &standup, "--format", "wav", "-o", "out.wav"])
        .run()
        .ok();
    let (original, _) = playable(&clip("standup"));
    for file in ["out.opus", "out.wav"] {
        let (seconds, peak) = playable(&home.path(file));
        assert!(
            (seconds - original).abs() < 0.03,
            "{file}: {seconds} s of {original} s"
        );
        assert!(peak > 3_000, "{file} is silent");
        let mode = std::os::unix::fs::MetadataExt::mode(&home.path(file).metadata().unwrap());
        assert_eq!(mode & 0o777, 0o600, "{file} is readable for others");
    }
    let again = home.voxvault(["export", &standup, "--format", "wav", "-o", "out.wav"]);
    again.run().ended_with(1);

    // Edited.
    let edit = [
        "edit",
        &standup,
        "--title",
        "Monday",
        "--tag",
        "+urgent",
        "--note",
        "call back",
    ];
    home.voxvault(edit).run().ok();
    assert_eq!(
        ids_found(&search(&home, "tag:urgent migration")),
        [standup.as_str()]
    );
    let one = home
        .list()
        .into_iter()
        .find(|one| one["id"] == standup.as_str())
        .unwrap();
    assert_eq!(
        (&one["title"], &one["note"]),
        (&"Monday".into(), &"call back".into())
    );

    // Destroyed: one by its id, and the one that was added last, which is the
    // last file of the folder.
    let receipt = home
        .voxvault(["shred", &standup[..8], "--yes", "--json"])
        .run()
        .ok()
        .json();
    assert_eq!(receipt["shredded"][0]["id"], standup.as_str());
    assert_eq!(receipt["shredded"][0]["key_destroyed"], true);
    assert_eq!(receipt["shredded"][0]["transcripts"], 1);
    assert!(
        receipt["erased"]
            .as_array()
            .is_some_and(|erased| !erased.is_empty())
    );
    assert!(receipt["backups_still_holding"].is_array());
    let last = home.id_of("train");
    home.voxvault(["shred", "last", "--yes"]).run().ok();
    let list = home.list();
    for gone in [&last, &standup] {
        assert!(
            list.iter().all(|one| one["id"] != gone.as_str()),
            "{gone} is listed"
        );
        home.voxvault(["show", gone]).run().ended_with(4);
        home.voxvault(["export", gone, "--format", "wav", "-o", "-"])
            .run()
            .ended_with(4);
        home.voxvault(["shred", gone, "--yes"]).run().ended_with(4);
    }
    assert_eq!(search(&home, "heater")["total"], 0);
}

#[test]
fn real_speech_is_found_by_what_was_said() {
    let Some(speech) = require_shared_speech() else {
        return;
    };
    if !require_model() {
        return;
    }
    let home = quick_home();
    home.voxvault(["import".into(), speech.into_os_string()])
        .run()
        .ok();
    assert_eq!(home.list().len(), 6);

    let answer = search(&home, "ask not what your country");
    let jfk = home.id_of("jfk");
    assert_eq!(ids_found(&answer)[0], jfk);
    let at = answer["hits"][0]["moments"][0]["start_s"].as_f64().unwrap();
    assert!(
        (3.0..=9.0).contains(&at),
        "he says it between 3 and 9 s, not at {at}"
    );

    let srt = home
        .voxvault(["show", &jfk, "--format", "srt"])
        .run()
        .ok()
        .text();
    let said = cues(&srt).join(" ").to_lowercase();
    assert!(
        said.contains("ask what you can do for your country"),
        "{said}"
    );

    let wav = home
        .voxvault(["export", &jfk, "--format", "wav", "-o", "-"])
        .run()
        .ok()
        .stdout;
    let (seconds, spec) = measure_wav(&wav);
    assert!((seconds - 11.0).abs() < 0.01, "{seconds} s");
    assert_eq!((spec.bits_per_sample, spec.channels), (16, 1));
}

#[test]
fn a_new_passphrase_replaces_the_old_one() {
    let home = quick_home();
    let wav = home.write("tone.wav", &Pcm::tone(16_000, 1.0).wav());
    home.voxvault([
        "import".into(),
        "--no-transcribe".into(),
        wav.into_os_string(),
    ])
    .run()
    .ok();
    let new = home.write("new", b"another passphrase entirely\n");

    home.voxvault([
        "passwd".into(),
        "--new-passphrase-file".into(),
        new.clone().into_os_string(),
    ])
    .run()
    .ok();

    let refused = home.voxvault(["list"]).run().ended_with(3);
    assert!(!refused.stderr.contains(PASSPHRASE), "{refused}");
    let listed = home
        .voxvault(["list", "--json"])
        .passphrase_file(new)
        .run()
        .ok()
        .json();
    assert_eq!(listed["recordings"].as_array().unwrap().len(), 1);
}

#[test]
fn a_second_transcript_stands_beside_the_first() {
    let Some(home) = home_with_examples() else {
        return;
    };
    let id = home.id_of("train");
    let first = home.text_of(&id);
    home.voxvault(["transcribe", &id, "--language", "en"])
        .run()
        .ok();
    let versions = home
        .list()
        .into_iter()
        .find(|one| one["id"] == id.as_str())
        .unwrap();
    let numbers: Vec<_> = versions["versions"].as_array().unwrap().iter().collect();
    assert_eq!(numbers.len(), 2, "{numbers:?}");
    let old = home
        .voxvault(["show", &id, "--version", "1"])
        .run()
        .ok()
        .text();
    assert_eq!(old, first);
    home.voxvault(["show", &id, "--version", "3"])
        .run()
        .ended_with(4);
}
