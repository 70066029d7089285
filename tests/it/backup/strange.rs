//! Pipes, devices and folders where a backup has its files: none of them is waited for or
//! read without end, each is named, and it costs itself only.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use super::{Scene, names};
use crate::support::library;
use crate::support::prepared::{copy_dir, make_quick_vault};

/// What lies where a file should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strange {
    Pipe,
    Endless,
    Folder,
}

impl Strange {
    fn put(self, at: &Path) {
        fs::remove_file(at).ok();
        match self {
            Self::Pipe => mknodat(CWD, at, FileType::Fifo, Mode::RWXU, 0).unwrap(),
            Self::Endless => symlink("/dev/zero", at).unwrap(),
            Self::Folder => {
                fs::create_dir(at).unwrap();
                fs::write(at.join("letter.txt"), "dear").unwrap();
            }
        }
    }
}

/// The files that are named in what was found.
fn named(found: &Value) -> Vec<&str> {
    let damage = found["damage"].as_array().unwrap().iter();
    let mut named: Vec<_> = damage
        .map(|one| one["where"].as_str().unwrap().split(',').next().unwrap())
        .collect();
    named.sort_unstable();
    named.dedup();
    named
}

#[test]
fn what_is_no_file_is_named_and_costs_itself_only_and_the_backup_goes_on_behind_it() {
    let scene = Scene::new();
    for title in ["one", "two", "three"] {
        let open = scene.open();
        library::record(open.vault(), title, 1);
        open.merge().unwrap();
        scene.backup().ok();
    }
    let places = [scene.dir(), scene.home.vault()];
    let kept = ["bk-kept", "vault-kept"].map(|name| scene.home.path(name));
    for (place, kept) in places.iter().zip(&kept) {
        copy_dir(place, kept);
    }
    for strange in [Strange::Pipe, Strange::Endless, Strange::Folder] {
        for (place, kept) in places.iter().zip(&kept) {
            fs::remove_dir_all(place).unwrap();
            copy_dir(kept, place);
        }
        let put = |name: &str| strange.put(&scene.dir().join(name));
        // In the place of a segment, of one that is not there yet, and of a way in.
        ["0002.tar.age", "0004.tar.age", "other.age"]
            .into_iter()
            .for_each(put);
        let due = ["0002.tar.age", "0004.tar.age"];
        let verify = || scene.run(["backup", "verify", "bk", "--json"]);
        let found = verify().ended_with(5).json();
        assert_eq!(named(&found), due, "{strange:?}");

        let second = scene.home.path("second");
        fs::remove_dir_all(&second).ok();
        drop(make_quick_vault(&second));
        let restore = ["--vault", "second", "restore", "bk", "--json"];
        let found = scene.run(restore).ended_with(5).json();
        assert_eq!(named(&found), due, "{strange:?}");
        assert_eq!(found["restored"].as_array().unwrap().len(), 2);

        // And in the way of what is written.
        ["0005.tar.age.part", "passphrase.age"]
            .into_iter()
            .for_each(put);
        let told = scene.backup().ended_with(5);
        for name in due {
            assert!(told.stderr.contains(name), "{strange:?}: {told}");
        }
        assert!(told.text().contains("1 recording"), "{strange:?}: {told}");
        let found = verify().ended_with(5).json();
        let mut due = due.to_vec();
        due.extend((strange == Strange::Folder).then_some("passphrase.age"));
        assert_eq!(named(&found), due, "{strange:?}");
        assert_eq!(found["checked"]["recordings"], 3, "{strange:?}");
        // A folder that is not empty nobody takes away.
        let left = names(&scene.dir());
        let kept = "0005.tar.age.part".to_owned();
        assert_eq!(left.contains(&kept), strange == Strange::Folder, "{left:?}");
        for told_of in [&*kept, "(passphrase.age)"] {
            let is_told = told.stderr.contains(told_of);
            assert_eq!(is_told, strange == Strange::Folder, "{told_of}: {told}");
        }
        let is_healed = scene.dir().join("passphrase.age").is_file();
        assert_eq!(is_healed, strange != Strange::Folder);
        assert_eq!(
            told.stderr.contains("was written anew"),
            is_healed,
            "{told}"
        );
    }
    scene.run(["backup", "repack", "bk"]).ended_with(5);
}

#[test]
fn a_pipe_that_is_given_as_a_backup_is_refused_with_what_to_do_instead() {
    let scene = Scene::new();
    Strange::Pipe.put(&scene.home.path("pipe"));
    for args in [&["backup", "verify", "pipe"][..], &["restore", "pipe"]] {
        let refused = scene.run(args.iter().copied()).ended_with(2);
        assert!(refused.stderr.contains("`voxvault restore -`"), "{refused}");
    }
}
