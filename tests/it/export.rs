//! Copies for people: named, whole, for their owner's eyes, and never over something else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use voxvault::recording::Gap;

use super::support::library::{begin, card, transcript, unlock};
use super::support::needles::holds;
use super::support::prepared::{files_below, quick_home};
use super::support::sound::{Pcm, measure_wav};
use super::support::{Home, PASSPHRASE};

/// A home with three recordings: one with words and a hostile title, two of one name; one
/// of them has no words.
fn home() -> Home {
    let home = quick_home();
    let take = |number: u32, title: &str, said: Option<&str>| {
        let seconds = 1.0 + f64::from(number) / 10.0;
        home.write("2019-05-03 14.23.12.wav", &Pcm::tone(16_000, seconds).wav());
        let words = home.path("2019-05-03 14.23.12.srt");
        match said {
            Some(said) => {
                fs::write(words, format!("1\n00:00:00,100 --> 00:00:00,900\n{said}\n")).unwrap()
            }
            None => drop(fs::remove_file(words)),
        }
        home.voxvault([
            "import",
            "2019-05-03 14.23.12.wav",
            "--no-transcribe",
            &format!("--title={title}"),
            "--tag",
            "t",
        ])
        .run()
        .ok();
    };
    take(
        0,
        "-../../a/b:\u{202e}\ttwo\n",
        Some("butter and <eggs> -->"),
    );
    take(1, "Talk", Some("milk"));
    take(2, "talk", None);
    home
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = files_below(folder)
        .iter()
        .map(|file| file.strip_prefix(folder).unwrap().display().to_string())
        .collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn several_go_into_a_folder_under_safe_names_and_only_their_owner_reads_them() {
    let home = home();
    let run = home
        .voxvault(["export", "tag:t", "--format", "wav", "-o", "out/copies"])
        .run()
        .ok();
    let talk = home.id_of("talk");
    assert_eq!(
        names(&home.path("out/copies")),
        [
            format!("2019-05-03 14.23 Talk {}.wav", &home.id_of("Talk")[..8]),
            "2019-05-03 14.23 a b two.wav".to_owned(),
            "2019-05-03 14.23 talk.wav".to_owned(),
        ],
        "the newest of two of a name keeps it: {talk}"
    );
    assert_eq!(
        (mode(&home.path("out")), mode(&home.path("out/copies"))),
        (0o700, 0o700)
    );
    for file in files_below(&home.path("out")) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        assert!(measure_wav(&fs::read(&file).unwrap()).0 >= 1.0);
    }
    assert_eq!(run.stderr.matches("in the clear").count(), 1, "{run}");
    assert_eq!(run.text().lines().count(), 3);
    let quiet = home
        .voxvault(["-q", "export", "tag:t", "--format", "opus", "-o", "out"])
        .run()
        .ok();
    assert!(quiet.stderr.is_empty(), "{quiet}");
}

#[test]
fn one_that_has_no_words_says_so_and_the_others_are_written() {
    let home = home();
    let run = home
        .voxvault(["export", "tag:t", "--format", "txt", "-o", "out"])
        .run()
        .ended_with(1);
    assert!(run.stderr.contains("it has no transcript yet"), "{run}");
    assert_eq!(
        names(&home.path("out")).len(),
        2,
        "nothing half written stays: {run}"
    );
    home.voxvault(["shred", &home.id_of("Talk"), "--audio-only", "--yes"])
        .run()
        .ok();
    let run = home
        .voxvault(["export", "tag:t", "--format", "flac", "-o", "out"])
        .run()
        .ended_with(1);
    assert!(run.stderr.contains("its sound was shredded"), "{run}");
    assert_eq!(names(&home.path("out")).len(), 4);
    let alone = home
        .voxvault([
            "export",
            &home.id_of("talk"),
            "--format",
            "srt",
            "-o",
            "x.srt",
        ])
        .run();
    alone.ended_with(4);
    assert!(!home.path("x.srt").exists());
}

#[test]
fn every_form_holds_what_was_said() {
    let home = home();
    let id = home.id_of("Talk");
    for (form, mark) in [
        ("txt", "milk"),
        ("md", "milk"),
        ("srt", "00:00:00,100 --> 00:00:00,900\nmilk"),
        ("vtt", "WEBVTT"),
        ("json", "\"text\": \"milk\""),
    ] {
        let out = home.path(format!("copy.{form}"));
        home.voxvault([
            "export".as_ref(),
            id.as_ref(),
            "--format".as_ref(),
            form.as_ref(),
            "-o".as_ref(),
            out.as_os_str(),
        ])
        .run()
        .ok();
        let written = fs::read(&out).unwrap();
        assert!(
            holds(&written, mark.as_bytes()),
            "{form}: {}",
            String::from_utf8_lossy(&written)
        );
        let piped = home
            .voxvault(["export", &id, "--format", form, "-o", "-"])
            .run()
            .ok();
        assert_eq!(piped.stdout, written, "{form}");
    }
    for form in ["opus", "wav", "flac"] {
        let out = format!("copy.{form}");
        home.voxvault(["export", &id, "--format", form, "-o", &out])
            .run()
            .ok();
        assert!(
            (Pcm::decode(&home.path(&out)).seconds() - 1.1).abs() < 1e-6,
            "{form}"
        );
    }
}

#[test]
fn sound_that_is_missing_is_told_where_a_recording_is_listed_or_shown_as_text() {
    let home = quick_home();
    let open = unlock(&home.vault(), PASSPHRASE);
    let gap = Gap {
        at_sample: 0,
        samples: 96_000,
    };
    let gappy = voxvault::recording::Card {
        gaps: vec![gap],
        ..card("gappy", 3)
    };
    let id = begin(open.vault(), "gappy", 3).finish(&gappy).unwrap();
    open.merge().unwrap();
    open.add_transcript(id, 0, &transcript("milk")).unwrap();
    drop(open);
    let said = "2.0 s of its sound are missing";
    let list = home.voxvault(["list"]).run().ok();
    assert!(list.text().contains(&format!("({said})")), "{list}");
    let id = id.to_string();
    for form in ["txt", "md", "srt", "vtt", "json"] {
        let shown = home.voxvault(["show", &id, "--format", form]).run().ok();
        let note = format!("{}: {said}", &id[..8]);
        assert_eq!(shown.stderr.contains(&note), form != "json", "{shown}");
        assert!(shown.text().contains("milk"), "{shown}");
        assert!(!shown.text().contains(said), "{shown}");
    }
}

#[test]
fn a_query_names_what_it_finds() {
    let home = home();
    let run = home
        .voxvault([
            "export",
            "--search",
            "milk OR butter",
            "--format",
            "txt",
            "-o",
            "out",
        ])
        .run()
        .ok();
    assert_eq!(run.text().lines().count(), 2, "{run}");
    home.voxvault([
        "export",
        "--search",
        "nothing of the kind",
        "--format",
        "txt",
    ])
    .run()
    .ended_with(4);
    home.voxvault(["export", "last", "--search", "milk", "--format", "txt"])
        .run()
        .ended_with(2);
}

#[test]
fn what_is_there_stays_unless_it_is_forced() {
    let home = home();
    let id = home.id_of("Talk");
    let there = home.write("there.txt", b"mine");
    fs::set_permissions(&there, fs::Permissions::from_mode(0o644)).unwrap();
    let target = home.write("target.txt", b"elsewhere");
    let link = home.path("link.txt");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    for name in ["there.txt", "link.txt"] {
        let run = home
            .voxvault(["export", &id, "--format", "txt", "-o", name])
            .run()
            .ended_with(1);
        assert!(run.stderr.contains("--force replaces it"), "{run}");
    }
    assert_eq!(fs::read(&there).unwrap(), b"mine");
    for name in ["there.txt", "link.txt"] {
        home.voxvault(["export", &id, "--format", "txt", "-o", name, "--force"])
            .run()
            .ok();
        let path = home.path(name);
        assert!(holds(&fs::read(&path).unwrap(), b"milk"));
        assert_eq!(mode(&path), 0o600);
        assert!(
            path.symlink_metadata().unwrap().is_file(),
            "{name}: the link is replaced, not followed"
        );
    }
    assert_eq!(fs::read(&target).unwrap(), b"elsewhere");
    // In a folder, what is in the way costs itself only.
    home.voxvault(["export", "tag:t", "--format", "wav", "-o", "out"])
        .run()
        .ok();
    fs::remove_file(home.path("out/2019-05-03 14.23 talk.wav")).unwrap();
    let again = home
        .voxvault(["export", "tag:t", "--format", "wav", "-o", "out"])
        .run()
        .ended_with(1);
    assert_eq!(again.text().lines().count(), 1, "{again}");
    assert_eq!(names(&home.path("out")).len(), 3);
}

#[test]
fn a_name_may_be_as_long_as_the_file_system_lets_it() {
    let home = home();
    let id = home.id_of("Talk");
    for name in ["n".repeat(255), "ü".repeat(127) + "n"] {
        let export = ["export", &id, "--format", "txt", "-o", &name];
        home.voxvault(export).run().ok();
        assert!(holds(&fs::read(home.path(&name)).unwrap(), b"milk"));
        let export = ["key", "export", "passphrase", "-o", &name, "--force"];
        home.voxvault(export).run().ok();
        assert!(holds(&fs::read(home.path(&name)).unwrap(), b"scrypt"));
    }
}

#[test]
fn what_is_no_file_is_never_replaced() {
    let home = home();
    let id = home.id_of("Talk");
    let _listening = std::os::unix::net::UnixListener::bind(home.path("socket")).unwrap();
    // A device through a link: what went wrong here would take the device away.
    std::os::unix::fs::symlink("/dev/null", home.path("null")).unwrap();
    fs::create_dir(home.path("out")).unwrap();
    let name = {
        let args = ["export", &id, "--format", "txt", "-o", "out"];
        home.voxvault(args).run().ok();
        let path = files_below(&home.path("out")).remove(0);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        path.file_name().unwrap().to_string_lossy().into_owned()
    };
    let stands = |name: &str| home.path(name).symlink_metadata().unwrap().file_type();
    for name in ["socket", "null"] {
        let before = stands(name);
        for more in [&[][..], &["--force"]] {
            let args = ["export", &id, "--format", "txt", "-o", name];
            let run = home.voxvault([&args[..], more].concat()).run();
            let run = run.ended_with(1);
            assert!(
                run.stderr.contains("-o - writes to standard output"),
                "{run}"
            );
            assert!(!run.stderr.contains("--force"), "{run}");
            assert_eq!(stands(name), before);
        }
    }
    let args = ["export", &id, "--format", "txt", "-o", "out", "--force"];
    let run = home.voxvault(args).run().ended_with(1);
    assert!(run.stderr.contains("a folder of that name"), "{run}");
    assert!(home.path("out").join(name).is_dir());
}

#[test]
fn several_do_not_go_into_one_stream_or_one_file() {
    let home = home();
    let run = home
        .voxvault(["export", "tag:t", "--format", "txt", "-o", "-"])
        .run()
        .ended_with(2);
    assert!(run.stdout.is_empty(), "{run}");
    home.write("a-file", b"mine");
    home.voxvault(["export", "tag:t", "--format", "txt", "-o", "a-file"])
        .run()
        .ended_with(1);
    assert_eq!(fs::read(home.path("a-file")).unwrap(), b"mine");
}

#[test]
fn what_can_t_be_written_leaves_nothing_behind() {
    let home = home();
    let id = home.id_of("Talk");
    let nowhere: PathBuf = home.path("no/such/folder/x.wav");
    let run = home
        .voxvault([
            "export".as_ref(),
            id.as_ref(),
            "--format".as_ref(),
            "wav".as_ref(),
            "-o".as_ref(),
            nowhere.as_os_str(),
        ])
        .run();
    run.ended_with(1);
    assert!(!home.path("no").exists());
    let left: Vec<PathBuf> = files_below(&home.path(""))
        .into_iter()
        .filter(|file| file.to_string_lossy().ends_with(".part"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
