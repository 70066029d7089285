//! What people bring along: transcripts of other programs, dates, data downloads.

use std::fs;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use super::support::prepared::quick_home;
use super::support::sound::Pcm;
use super::support::{Home, clip, require_model};

mod downloads;

/// A second of sound, or so: each is another recording.
fn wav(number: u32) -> Vec<u8> {
    Pcm::tone(16_000, 1.0 + f64::from(number) / 100.0).wav()
}

const OPENAI: &str = r#"{"text": " Ask not.", "segments": [{"id": 0, "start": 0.1, "end": 0.9,
    "text": " Ask not.", "avg_logprob": NaN, "words": [{"word": " Ask", "start": 0.1, "end": 0.4,
    "probability": 0.5}, {"word": " not.", "start": 0.4, "end": 0.9, "probability": 0.75}]}],
    "language": "en"}"#;

fn srt(text: &str) -> String {
    format!("1\n00:00:00,200 --> 00:00:00,800\n{text}\n")
}

fn show(home: &Home, id: &str) -> Value {
    home.voxvault(["show", id, "--format", "json"])
        .run()
        .ok()
        .json()
}

/// The models of a recording's versions, oldest first.
fn models(home: &Home, title: &str) -> Vec<String> {
    let list = home.list();
    let one = list.iter().find(|one| one["title"] == title);
    let one = one.unwrap_or_else(|| panic!("no {title} in {list:?}"));
    let versions = one["versions"].as_array().unwrap();
    versions
        .iter()
        .map(|version| version["model"].as_str().unwrap().to_owned())
        .collect()
}

fn recorded_at(home: &Home, title: &str) -> String {
    let list = home.list();
    let one = list.iter().find(|one| one["title"] == title);
    one.unwrap_or_else(|| panic!("no {title} in {list:?}"))["recorded_at"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn transcripts_beside_a_sound_file_become_versions_that_name_their_origin() {
    let home = quick_home();
    home.write("talk.wav", &wav(0));
    home.write("talk.json", OPENAI.as_bytes());
    home.write("talk.srt", srt("Something else").as_bytes());
    home.write(
        "talk.de.vtt",
        b"WEBVTT\n\n00:00.100 --> 00:09.000\n<v Ann>Fragt <i>nicht</i> &amp; sagt",
    );
    // The same words as the JSON: nothing new.
    home.write("talk.wav.srt", srt("Ask not.").as_bytes());
    let taken = home
        .voxvault(["import", "talk.wav", "--json"])
        .run()
        .ok()
        .json();
    assert_eq!(taken["recordings"][0]["transcripts"], 3);
    assert_eq!(taken["recordings"][0]["state"], "transcribed");
    assert_eq!(
        models(&home, "talk"),
        [
            "imported: talk.de.vtt",
            "imported: talk.srt",
            "imported: talk.json"
        ]
    );
    let shown = show(&home, "last");
    assert_eq!(shown["language"], "en");
    assert_eq!(shown["segments"][0]["text"], "Ask not.");
    assert_eq!(shown["segments"][0]["words"][1]["text"], "not.");
    assert_eq!(shown["segments"][0]["words"][1]["confidence"], 0.75);
    let german = home
        .voxvault(["show", "last", "--version", "1", "--format", "json"])
        .run()
        .ok()
        .json();
    assert_eq!(german["segments"][0]["text"], "Fragt nicht & sagt");
    // The cue ends with the sound, which is shorter.
    assert_eq!(german["segments"][0]["end_s"], 1.0);
    let found = home.voxvault(["search", "ask", "--json"]).run().ok().json();
    assert_eq!(found["total"], 1);
}

#[test]
fn a_locked_vault_takes_transcripts_as_well() {
    let home = quick_home();
    home.write("talk.wav", &wav(0));
    home.write("talk.srt", srt("said while locked").as_bytes());
    home.voxvault(["import", "talk.wav", "--title", "Talk"])
        .locked()
        .run()
        .ok();
    assert_eq!(models(&home, "Talk"), ["imported: talk.srt"]);
    assert!(home.text_of("last").contains("said while locked"));
    home.voxvault(["verify"]).run().ok();
}

#[test]
fn importing_again_skips_the_sound_and_keeps_what_is_new_beside_it() {
    let home = quick_home();
    home.write("talk.wav", &wav(0));
    home.write("talk.srt", srt("first words").as_bytes());
    home.voxvault(["import", "talk.wav"]).run().ok();
    for _ in 0..2 {
        let again = home.voxvault(["import", "talk.wav"]).run().ok();
        let said = "talk.wav holds the same sound as";
        assert!(again.stderr.contains(said), "{again}");
        assert!(again.text().is_empty(), "{again}");
        let json = home.voxvault(["import", "talk.wav", "--json"]).run().ok();
        let held = serde_json::json!([{ "file": "talk.wav", "id": home.id_of("talk") }]);
        let json = json.json();
        assert_eq!(json["held"], held, "{json}");
        assert_eq!(json["recordings"], serde_json::json!([]));
        assert_eq!(models(&home, "talk"), ["imported: talk.srt"]);
    }
    home.write(
        "talk.vtt",
        b"WEBVTT\n\n00:00.100 --> 00:00.900\nother words",
    );
    let again = home.voxvault(["import", "talk.wav"]).run().ok();
    assert!(again.stderr.contains("is a new version there"), "{again}");
    assert_eq!(
        models(&home, "talk"),
        ["imported: talk.srt", "imported: talk.vtt"]
    );
}

#[test]
fn importing_again_does_not_bring_back_words_that_were_redacted() {
    let home = quick_home();
    home.write("talk.wav", &wav(0));
    home.write("talk.srt", srt("secret words").as_bytes());
    home.voxvault(["import", "talk.wav"]).run().ok();
    assert!(home.text_of("last").contains("secret"));
    home.voxvault(["redact", "last", "0", "1", "--yes"])
        .run()
        .ok();
    assert!(!home.text_of("last").contains("secret"));
    let again = home.voxvault(["import", "talk.wav"]).run().ok();
    assert!(again.stderr.contains("holds the same sound as"), "{again}");
    assert!(!home.text_of("last").contains("secret"));
    assert_eq!(models(&home, "talk").len(), 1);
}

#[test]
fn transcribing_later_makes_a_version_and_overwrites_none() {
    if !require_model() {
        return;
    }
    let home = quick_home();
    fs::copy(clip("dentist"), home.path("dentist.opus")).unwrap();
    home.write("dentist.srt", srt("what somebody else heard").as_bytes());
    home.voxvault(["import", "dentist.opus"]).run().ok();
    assert_eq!(
        models(&home, "dentist").len(),
        1,
        "an import with words is not transcribed by itself"
    );
    home.voxvault(["transcribe", "last"]).run().ok();
    let models = models(&home, "dentist");
    assert_eq!(
        (models.len(), models[0].as_str()),
        (2, "imported: dentist.srt")
    );
    let first = home
        .voxvault(["show", "last", "--version", "1"])
        .run()
        .ok()
        .text();
    assert!(first.contains("what somebody else heard"));
}

#[test]
fn every_encoding_and_line_ending_reads_as_it_was_meant() {
    let home = quick_home();
    let text = srt("Grüße, naïve").replace('\n', "\r\n");
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let latin: Vec<u8> = text.chars().map(|c| c as u32 as u8).collect();
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    fs::create_dir(home.path("talks")).unwrap();
    for (number, (name, bytes)) in [("utf16", utf16), ("latin", latin), ("marked", marked)]
        .into_iter()
        .enumerate()
    {
        home.write(&format!("talks/{name}.wav"), &wav(number as u32));
        home.write(&format!("talks/{name}.srt"), &bytes);
    }
    home.voxvault(["import", "talks"]).run().ok();
    for name in ["utf16", "latin", "marked"] {
        assert_eq!(
            show(&home, &home.id_of(name))["segments"][0]["text"],
            "Grüße, naïve",
            "{name}"
        );
    }
}

#[test]
fn a_transcript_that_can_t_be_used_is_refused_and_its_sound_is_taken() {
    let home = quick_home();
    fs::create_dir(home.path("talks")).unwrap();
    home.write("talks/a.wav", &wav(0));
    home.write("talks/a.srt", b"no times in here");
    home.write("talks/b.wav", &wav(1));
    home.write("talks/b.json", b"{\"text\": \"cut o");
    home.write("talks/c.wav", &wav(2));
    home.write("talks/c.json", b"{\"artist\": \"nobody\"}");
    home.write("talks/alone.vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\nx");
    home.write("talks/notes.txt", b"skipped");
    let run = home
        .voxvault(["import", "talks", "--json"])
        .run()
        .ended_with(1);
    let told = run.json();
    assert_eq!(told["recordings"].as_array().unwrap().len(), 3);
    let refused: Vec<&str> = told["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["file"].as_str().unwrap())
        .collect();
    assert_eq!(
        refused,
        ["talks/alone.vtt", "talks/a.srt", "talks/b.json"],
        "{run}"
    );
    assert!(
        run.stderr
            .contains("talks/c.json holds no transcript that is known"),
        "{run}"
    );
    assert!(
        run.stderr.contains("1 file that is not sound was skipped"),
        "{run}"
    );
    // By itself as well.
    let alone = home
        .voxvault(["import", "talks/alone.vtt"])
        .run()
        .ended_with(1);
    assert!(
        alone
            .stderr
            .contains("no sound file of its name is with it"),
        "{alone}"
    );
    home.voxvault(["import", "talks/c.wav", "talks/c.json"])
        .run()
        .ok();
}

#[test]
fn the_date_is_the_best_that_is_known() {
    let home = quick_home();
    let folder = home.path("memos");
    fs::create_dir(&folder).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        let file = fs::File::options().append(true).open(&path).unwrap();
        // 2021-06-01T12:00:00Z
        file.set_modified(UNIX_EPOCH + Duration::from_secs(1_622_548_800))
            .unwrap();
    };
    let mut tagged = b"RIFF\xff\xff\xff\xffWAVEbext".to_vec();
    let mut bext = vec![0; 602];
    bext[320..338].copy_from_slice(b"2018-02-0307:08:09");
    tagged.extend((bext.len() as u32).to_le_bytes());
    tagged.extend(bext);
    tagged.extend(&wav(0)[12..]);
    write("2019-05-03 14.23.12 tagged.wav", &tagged);
    write("2019-05-03 14.23.12 named.wav", &wav(1));
    write("190503 ambiguous.wav", &wav(2));
    write("PTT-20210601-WA0001 day.wav", &wav(3));
    home.voxvault(["import", "memos"]).run().ok();
    for (title, wanted) in [
        ("2019-05-03 14.23.12 tagged", "2018-02-03T07:08:09+00:00"),
        ("2019-05-03 14.23.12 named", "2019-05-03T14:23:12+00:00"),
        ("190503 ambiguous", "2021-06-01T12:00:00+00:00"),
        ("PTT-20210601-WA0001 day", "2021-06-01T12:00:00+00:00"),
    ] {
        assert_eq!(recorded_at(&home, title), wanted, "{title}");
    }
}

#[test]
fn a_transcript_of_which_no_word_can_be_taken_in_leaves_the_sound_to_be_transcribed() {
    let home = quick_home();
    home.write("talk.wav", &wav(1));
    home.write("talk.vtt", b"WEBVTT\n\n-1:00.000 --> 00:01.000\nnever\n");
    let import = ["import", "--no-transcribe", "talk.wav"];
    let told = home.voxvault(import).run().ok();
    assert!(told.stderr.contains("no word of it"), "{told}");
    assert!(models(&home, "talk").is_empty());
    let listed = home.voxvault(["list", "is:untranscribed", "--json"]).run();
    let listed = listed.ok().json();
    assert_eq!(listed["recordings"].as_array().unwrap().len(), 1);
}
