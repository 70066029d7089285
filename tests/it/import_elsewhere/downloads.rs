//! Downloads of one's data: what an assistant heard, as folders and as archives.

use std::fs;
use std::path::Path;

use super::{recorded_at, show, wav};
use crate::support::needles::Needles;
use crate::support::prepared::{files_below, quick_home};
use crate::support::sound::Pcm;
use crate::support::zip::deflated;
use crate::support::{Home, clip};

/// An Alexa download, with a list as a table and one as a PDF.
fn alexa() -> Vec<(&'static str, Vec<u8>)> {
    let list = "Timestamp,Device,Audio File Name,Transcript\r\n\
                2019-05-03T14:23:12Z,Kitchen,0001.wav,\"alexa, add butter to the list\"\r\n\
                2019-05-03T14:25:00Z,Kitchen,0002.wav,\r\n\
                2019-05-03T14:26:00Z,Kitchen,0003.wav,not there\r\n";
    vec![
        ("Alexa/Audio/0001.wav", wav(0)),
        ("Alexa/Audio/0002.wav", wav(1)),
        ("Alexa/Audio/Transcripts.csv", list.as_bytes().to_vec()),
        ("Alexa/Transcripts.pdf", b"%PDF-1.4".to_vec()),
        ("Alexa/README.txt", b"hello".to_vec()),
    ]
}

fn unpack(home: &Home, folder: &str, files: &[(&str, Vec<u8>)]) {
    for (name, bytes) in files {
        let path = home.path(folder).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn pack(home: &Home, name: &str, files: &[(&str, Vec<u8>)]) {
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (*name, bytes.as_slice()))
        .collect();
    home.write(name, &deflated(&files));
}

#[test]
fn an_alexa_download_brings_words_dates_and_devices_zipped_or_not() {
    for what in ["download.zip", "download"] {
        let home = quick_home();
        match what {
            "download" => unpack(&home, what, &alexa()),
            _ => pack(&home, what, &alexa()),
        }
        let run = home
            .voxvault(["import", what, "--json"])
            .run()
            .ended_with(1);
        let told = run.json();
        assert_eq!(told["recordings"].as_array().unwrap().len(), 2, "{run}");
        assert_eq!(told["refused"].as_array().unwrap().len(), 1, "{run}");
        assert!(run.stderr.contains("text in PDF can't be read"), "{run}");
        assert!(run.stderr.contains("0003.wav"), "{run}");
        assert!(
            run.stderr.contains("1 file that is not sound was skipped"),
            "{run}"
        );
        let id = home.id_of("alexa, add butter to the list");
        let shown = show(&home, &id);
        assert_eq!(shown["recorded_at"], "2019-05-03T14:23:12+00:00");
        assert_eq!(shown["device"], "Kitchen");
        assert_eq!(
            shown["segments"][0]["text"],
            "alexa, add butter to the list"
        );
        assert_eq!(shown["versions"][0]["model"], "imported: Transcripts.csv");
        assert_eq!(recorded_at(&home, "0002"), "2019-05-03T14:25:00+00:00");
        home.voxvault(["verify"]).run().ok();
        // Again, and from the other form: nothing new.
        pack(&home, "again.zip", &alexa());
        home.voxvault(["import", "again.zip"]).run().ended_with(1);
        assert_eq!(home.list().len(), 2);
    }
}

#[test]
fn a_takeout_folder_brings_what_was_said_to_the_assistant() {
    let json = r#"[{"header": "Assistant", "title": "Said set a timer for eggs", "time": "2018-11-21T17:31:56.905Z",
        "products": ["Assistant"], "audioFiles": ["2018-11-21_17_31_56_905_UTC.wav"]}]"#;
    let html = r#"<html><body><div class="outer-cell mdl-cell"><div class="content-cell">Said
        <a href="https://www.google.com/search?q=x">what&#39;s the weather</a><br>May 3, 2019, 2:23:12 PM UTC</div>
        <div class="content-cell"><audio controls><source src="2019-05-03_14_23_12_000_UTC.wav"></audio></div></div></body></html>"#;
    let keep = r#"{"title": "Shopping", "textContent": "milk and eggs", "createdTimestampUsec": 1556893392000000,
        "attachments": [{"filePath": "16a7.wav", "mimetype": "audio/wav"}]}"#;
    let files = vec![
        (
            "Takeout/My Activity/Assistant/MyActivity.json",
            json.as_bytes().to_vec(),
        ),
        (
            "Takeout/My Activity/Assistant/2018-11-21_17_31_56_905_UTC.wav",
            wav(0),
        ),
        (
            "Takeout/My Activity/Voice and Audio/MyActivity.html",
            html.as_bytes().to_vec(),
        ),
        (
            "Takeout/My Activity/Voice and Audio/2019-05-03_14_23_12_000_UTC.wav",
            wav(1),
        ),
        ("Takeout/Keep/Shopping.json", keep.as_bytes().to_vec()),
        ("Takeout/Keep/16a7.wav", wav(2)),
    ];
    let home = quick_home();
    unpack(&home, "takeout", &files);
    let run = home.voxvault(["import", "takeout"]).run().ok();
    assert_eq!(run.text().lines().count(), 3, "{run}");
    for (title, at, text) in [
        (
            "set a timer for eggs",
            "2018-11-21T17:31:56+00:00",
            "set a timer for eggs",
        ),
        (
            "what's the weather",
            "2019-05-03T14:23:12+00:00",
            "what's the weather",
        ),
        ("Shopping", "2019-05-03T14:23:12+00:00", "milk and eggs"),
    ] {
        let shown = show(&home, &home.id_of(title));
        assert_eq!(shown["recorded_at"], at, "{title}");
        assert_eq!(shown["segments"][0]["text"], text, "{title}");
    }
    pack(&home, "takeout.zip", &files);
    home.voxvault(["import", "takeout.zip"]).run().ok();
    assert_eq!(
        home.list().len(),
        3,
        "the same download as a zip is the same"
    );
}

#[test]
fn a_record_of_a_takeout_that_is_left_out_is_counted_and_named() {
    let list = |records: &[&str]| format!("[{}]", records.join(",")).into_bytes();
    let whole = r#"{"title": "Said one", "audioFiles": ["1.wav"]}"#;
    let silent = r#"{"title": "Searched for x"}"#;
    let strange = r#"{"title": "Said two", "audioFiles": "2.wav"}"#;
    for (records, due) in [
        (&[whole, silent][..], &[][..]),
        (&[whole, silent, strange], &[3]),
        (&[strange, whole, silent, "7"], &[1, 4]),
    ] {
        let home = quick_home();
        let name = "Takeout/My Activity/Assistant/MyActivity.json";
        let sound = |number| format!("Takeout/My Activity/Assistant/{number}.wav");
        let (one, two) = (sound(1), sound(2));
        let files = [
            (name, list(records)),
            (one.as_str(), wav(0)),
            (two.as_str(), wav(1)),
        ];
        unpack(&home, "takeout", &files);
        let run = home.voxvault(["import", "takeout", "--json"]).run().ok();
        let told = run.json();
        // The sound comes all the same.
        assert_eq!(told["recordings"].as_array().unwrap().len(), 2, "{run}");
        let path = Path::new("takeout").join(name).display().to_string();
        let left_out = match due {
            [] => serde_json::json!([]),
            _ => serde_json::json!([{ "file": path, "records": due }]),
        };
        assert_eq!(told["left_out"], left_out, "{run}");
        let said = match due {
            [] => String::new(),
            [place] => format!("record {place} of {path} is not as it should be"),
            _ => format!("2 records of {path} are not as they should be; they were left out: 1, 4"),
        };
        assert!(run.stderr.contains(&said), "{run}");
        assert_eq!(run.stderr.contains("left out"), !due.is_empty(), "{run}");
    }
}

#[test]
fn nothing_of_an_archive_is_written_in_the_clear() {
    let home = quick_home();
    let spoken = Pcm::decode(&clip("dentist"));
    let files = [
        ("Alexa/0001.wav", spoken.wav()),
        (
            "Alexa/transcripts.csv",
            b"file,transcript\n0001.wav,the heirloom is behind the clock\n".to_vec(),
        ),
    ];
    pack(&home, "download.zip", &files);
    home.voxvault(["import", "download.zip", "--no-transcribe"])
        .locked()
        .run()
        .ok();
    home.voxvault(["list"]).run().ok();
    let mut needles = Needles::default();
    needles
        .text("heirloom")
        .windows("its sound", &files[0].1, 200);
    assert!(
        !needles.found_in(&files[0].1).is_empty(),
        "a control that finds nothing shows nothing"
    );
    assert!(
        !needles.found_in(&files[1].1).is_empty(),
        "a control that finds nothing shows nothing"
    );
    for file in files_below(Path::new(&home.path(""))) {
        if file.ends_with("download.zip") {
            continue;
        }
        let found = needles.found_in(&fs::read(&file).unwrap());
        assert!(found.is_empty(), "{}: {found:?}", file.display());
    }
}
