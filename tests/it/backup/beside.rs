//! The copies of the ways in that lie beside the segments: what is wrong with one is found
//! while the vault is still there.

use std::fs;
use std::path::Path;

use serde_json::Value;
use voxvault::crypto::BackupIdentity;

use super::Scene;
use crate::support::Finished;

/// What happens to a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hurt {
    Changed,
    CutOff,
    Removed,
}

impl Hurt {
    fn at(self, path: &Path) {
        let mut sealed = fs::read(path).unwrap();
        match self {
            Self::Changed => *sealed.last_mut().unwrap() ^= 1,
            Self::CutOff => sealed.truncate(sealed.len() - 40),
            Self::Removed => return fs::remove_file(path).unwrap(),
        }
        fs::write(path, sealed).unwrap();
    }
}

fn verify(scene: &Scene) -> Finished {
    scene.run(["backup", "verify", "bk", "--json"])
}

/// The kinds of damage at the passphrase's copy, or at the folder.
fn kinds(found: &Value) -> Vec<&str> {
    fn kind(one: &Value) -> &str {
        let place = one["where"].as_str().unwrap();
        assert!(place == "passphrase.age" || place.ends_with("bk"), "{one}");
        one["kind"].as_str().unwrap()
    }
    found["damage"]
        .as_array()
        .unwrap()
        .iter()
        .map(kind)
        .collect()
}

fn notes(found: &Value) -> String {
    found["notes"].to_string()
}

#[test]
fn a_copy_of_a_way_in_that_is_hurt_is_named_and_the_next_backup_writes_it_again() {
    let scene = Scene::new();
    scene.import("dream", "a dream");
    scene.backup().ok();
    let copy = scene.dir().join("passphrase.age");
    let whole = fs::read(&copy).unwrap();
    let identity = scene.identity();
    let outside = [
        "backup",
        "verify",
        "bk",
        "--json",
        "--from-identity",
        identity.to_str().unwrap(),
    ];
    let without_vault = || {
        let elsewhere = ["--vault", "nowhere"];
        scene.run(elsewhere.into_iter().chain(outside))
    };
    let rehearse = || scene.run(["restore", "bk", "--test", "--json"]);
    for hurt in [Hurt::Changed, Hurt::CutOff, Hurt::Removed] {
        assert_eq!(kinds(&verify(&scene).ok().json()), [""; 0], "the control");
        let told = rehearse().ok().json();
        assert!(notes(&told).contains("the key that was given opens it"));
        let told = without_vault().ok().json();
        assert!(notes(&told).contains("only the form"), "{told}");

        hurt.at(&copy);
        let due = match hurt {
            Hurt::Removed => "missing",
            Hurt::Changed | Hurt::CutOff => "altered",
        };
        let found = verify(&scene).ended_with(5).json();
        assert_eq!(kinds(&found), [due], "{hurt:?}");
        let found = rehearse().ended_with(5).json();
        assert_eq!(kinds(&found), [due, "closed"], "{hurt:?}");
        // A key beside the vault does not change what the vault knows.
        let found = scene.run(outside).ended_with(5).json();
        assert_eq!(kinds(&found), [due], "{hurt:?}");
        // Without it only the form shows.
        match hurt {
            Hurt::Changed => {
                let told = without_vault().ok().json();
                assert!(notes(&told).contains("only the form"), "{told}");
            }
            Hurt::CutOff | Hurt::Removed => {
                let found = without_vault().ended_with(5).json();
                assert_eq!(kinds(&found), [due], "{hurt:?}");
            }
        }
        let told = scene.backup().ok();
        let said = "passphrase.age: this copy of a way in was";
        assert!(told.stderr.contains(said), "{told}");
        assert!(fs::read(&copy).unwrap() == whole, "{hurt:?}");
    }
    assert!(!scene.backup().ok().stderr.contains("passphrase.age"));
}

#[test]
fn a_copy_of_before_the_ways_in_were_changed_is_told_and_is_damage_only_beside_what_is_newer() {
    let scene = Scene::new();
    scene.import("dream", "a dream");
    scene.backup().ok();
    let copy = scene.dir().join("passphrase.age");
    let former = fs::read(&copy).unwrap();
    let new = "another six words, which are new";
    scene.home.write("new", new.as_bytes());
    scene.run(["passwd", "--new-passphrase-file", "new"]).ok();
    fs::write(scene.home.passphrase_file(), new).unwrap();
    let run = |args: &[&'static str]| scene.run(args.iter().copied());
    let verify = || verify(&scene);
    let found = verify().ok().json();
    assert!(notes(&found).contains("the ways in were changed since"));
    // Not where the new passphrase is all that is left.
    let found = run(&["restore", "bk", "--test", "--json"]);
    assert_eq!(kinds(&found.ended_with(5).json()), ["closed"]);
    // One that is damaged is not taken for one of before.
    Hurt::Changed.at(&copy);
    assert_eq!(kinds(&verify().ended_with(5).json()), ["altered"]);
    fs::write(&copy, &former).unwrap();

    let told = run(&["backup", "bk"]).ok();
    assert!(!told.stderr.contains("passphrase.age"), "{told}");
    assert!(!notes(&verify().ok().json()).contains("passphrase.age"));
    run(&["restore", "bk", "--test"]).ok();
    run(&["edit", "last", "--title", "a nightmare"]).ok();
    run(&["backup", "bk"]).ok();
    verify().ok();
    // It opens no segment of now.
    fs::write(&copy, &former).unwrap();
    assert_eq!(kinds(&verify().ended_with(5).json()), ["rolled back"]);

    // A way in that came since is no damage.
    run(&["backup", "bk"]).ok();
    let recipient = BackupIdentity::generate().recipient();
    let key = ["key", "add", "--recipient", &recipient, "--name", "further"];
    scene.run(key).ok();
    let found = verify().ok().json();
    assert!(
        notes(&found).contains("further.age: this way in was added since"),
        "{found}"
    );
    run(&["backup", "bk"]).ok();
    fs::remove_file(scene.dir().join("further.age")).unwrap();
    let found = verify().ended_with(5).json();
    assert_eq!(found["damage"][0]["where"], "further.age");
}

#[test]
fn a_copy_that_is_gone_is_missed_behind_a_repack_too() {
    let scene = Scene::new();
    let gone = scene.import("dream", "a dream").to_string();
    scene.import("dentist", "a tooth");
    scene.backup().ok();
    fs::remove_file(scene.dir().join("passphrase.age")).unwrap();
    scene.run(["shred", &gone, "--yes"]).ok();
    let told = scene.run(["backup", "repack", "bk"]).ok();
    assert!(told.text().contains("removed 0001.tar.age"), "{told}");
    assert_eq!(kinds(&verify(&scene).ended_with(5).json()), ["missing"]);
    assert!(scene.backup().ok().stderr.contains("was missing"));
    verify(&scene).ok();
}
