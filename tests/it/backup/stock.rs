//! With `age`, `tar` and the passphrase, and without this program.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Scene, names, segments, unpack};
use crate::support::sound::Pcm;
use crate::support::{Home, Key, PASSPHRASE, Terminal, library, require_tool};

/// Runs a line of shell on a terminal, where `age` asks for the passphrase.
fn typed(home: &Home, script: &str, passphrase: &str) -> Option<u32> {
    let argv = ["sh", "-c", script].map(OsString::from).to_vec();
    let mut terminal = Terminal::open(home, argv, (80, 24), Vec::new());
    terminal.wait_for("passphrase");
    terminal.type_text(passphrase);
    terminal.press(Key::Enter);
    terminal.wait_for_end(Duration::from_secs(60))
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn stock_age_and_tar_restore_a_recording_that_plays_with_the_passphrase_alone() {
    if !require_tool("age") {
        return;
    }
    let scene = Scene::new();
    let id = scene.import("train", "to the coast");
    let open = scene.open();
    open.add_transcript(id, 0, &library::transcript("the ferry leaves at nine"))
        .unwrap();
    let id = id.to_string();
    let export = ["export", &id, "--format", "opus", "-o", "exported.opus"];
    scene.run(export).ok();
    scene.run(["backup", "bk"]).ok();
    // The machine is lost, and the program with it.
    fs::remove_dir_all(scene.home.vault()).unwrap();
    fs::create_dir(scene.home.path("out")).unwrap();

    let script = "cd bk && age -d -i passphrase.age 0001.tar.age | tar x -C ../out";
    assert_eq!(typed(&scene.home, script, PASSPHRASE), Some(0));

    let out = scene.home.path("out");
    let mut unpacked = [id.clone(), "MANIFEST.json".to_owned()];
    unpacked.sort();
    assert_eq!(names(&out), unpacked);
    let recording = out.join(&id);
    let sound = Pcm::decode(&recording.join("audio.opus"));
    let exported = Pcm::decode(&scene.home.path("exported.opus"));
    assert!(sound.seconds() > 5.0);
    assert_eq!(sound.samples, exported.samples);
    assert_eq!(
        fs::read_to_string(recording.join("transcript.txt"))
            .unwrap()
            .trim(),
        "the ferry leaves at nine"
    );
    let subtitles = fs::read_to_string(recording.join("transcript.srt")).unwrap();
    assert!(subtitles.contains("00:00:00,000 --> "), "{subtitles}");
    let meta = json(&recording.join("meta.json"));
    assert_eq!(meta["title"], "to the coast");
    assert_eq!(
        meta["versions"][0]["segments"][0]["text"],
        "the ferry leaves at nine"
    );
    // Another passphrase opens nothing.
    let script = "cd bk && age -d -i passphrase.age 0001.tar.age > ../none";
    assert_ne!(typed(&scene.home, script, "another passphrase"), Some(0));
    assert_eq!(fs::metadata(scene.home.path("none")).unwrap().len(), 0);
}

#[test]
fn after_passwd_the_newest_slot_opens_the_older_segments_as_well() {
    if !require_tool("age") {
        return;
    }
    const NEW: &str = "gibbous moon over gutter";
    let scene = Scene::new();
    let id = scene.import("dentist", "before").to_string();
    scene.backup().ok();
    let old = fs::read(scene.dir().join("passphrase.age")).unwrap();
    let new = scene.home.write("new", NEW.as_bytes());
    scene.run(["passwd", "--new-passphrase-file", "new"]).ok();
    let again = |args: [&str; 4]| scene.home.voxvault(args).passphrase_file(&new).run();
    again(["edit", &id, "--title", "after"]).ok();
    let backup = scene.home.voxvault(["backup", "bk"]);
    backup.passphrase_file(&new).run().ok();
    assert_eq!(segments(&scene.dir()).len(), 2);
    let slot = fs::read(scene.dir().join("passphrase.age")).unwrap();
    assert_ne!(slot, old);

    fs::remove_dir_all(scene.home.vault()).unwrap();
    fs::create_dir(scene.home.path("out")).unwrap();
    for segment in ["0001", "0002"] {
        let script =
            format!("cd bk && age -d -i passphrase.age {segment}.tar.age | tar x -C ../out");
        assert_eq!(typed(&scene.home, &script, NEW), Some(0), "{segment}");
    }
    // Unpacked in their order, they leave what was there last.
    let recording = scene.home.path("out").join(&id);
    assert_eq!(json(&recording.join("meta.json"))["title"], "after");
    assert!(Pcm::decode(&recording.join("audio.opus")).seconds() > 5.0);
}

#[test]
fn whoever_it_is_sealed_to_opens_it_and_nobody_else_does() {
    if !require_tool("age-keygen") {
        return;
    }
    let scene = Scene::new();
    scene.import("dream", "a dream");
    let keygen = |name: &str| {
        let path = scene.home.path(name);
        let made = Command::new("age-keygen")
            .arg("-o")
            .arg(&path)
            .output()
            .unwrap();
        assert!(made.status.success());
        let text = fs::read_to_string(&path).unwrap();
        let public = text
            .lines()
            .find_map(|line| line.strip_prefix("# public key: "));
        (path.clone(), public.unwrap().to_owned())
    };
    let ((friend, to_friend), (other, to_other)) = (keygen("friend"), keygen("other"));
    let (stranger, _) = keygen("stranger");
    let list = format!("# who may read it\n\n{to_other}\n");
    scene.home.write("list", list.as_bytes());
    scene
        .run(["backup", "bk", "-r", &to_friend, "-R", "list"])
        .ok();
    let segment = scene.dir().join("0001.tar.age");
    for (identity, opens) in [
        (&friend, true),
        (&other, true),
        (&scene.identity(), true),
        (&stranger, false),
    ] {
        let out = scene.home.path("out");
        assert_eq!(unpack(identity, &segment, &out), opens, "{identity:?}");
        fs::remove_dir_all(out).unwrap();
    }
}

#[test]
fn a_stream_is_one_segment_with_everything() {
    if !require_tool("age") {
        return;
    }
    let scene = Scene::new();
    let ids = [
        scene.import("dream", "a dream"),
        scene.import("dentist", "a tooth"),
    ];
    let stream = scene.run(["backup", "-"]).ok();
    scene.home.write("stream.tar.age", &stream.stdout);
    // The ways in go with it, also from a vault that is locked.
    let export = ["key", "export", "-o", "slots"];
    scene.home.voxvault(export).locked().run().ok();
    let slots = scene.home.path("slots");
    assert_eq!(names(&slots), ["passphrase.age"]);
    scene.home.voxvault(export).locked().run().ended_with(1);
    let one = scene
        .home
        .voxvault(["key", "export", "passphrase", "-o", "-"]);
    let one = one.locked().run().ok().stdout;
    assert_eq!(one, fs::read(slots.join("passphrase.age")).unwrap());
    let none = scene.home.voxvault(["key", "export", "nobody", "-o", "-"]);
    none.locked().run().ended_with(4);
    let out = scene.home.path("out");
    fs::create_dir(&out).unwrap();
    let script = "age -d -i slots/passphrase.age stream.tar.age | tar x -C out";
    assert_eq!(typed(&scene.home, script, PASSPHRASE), Some(0));
    for id in ids {
        assert!(Pcm::decode(&out.join(id.to_string()).join("audio.opus")).seconds() > 5.0);
    }
    assert_eq!(json(&out.join("MANIFEST.json"))["manifest"]["segment"], 1);
}
