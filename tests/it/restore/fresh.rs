//! Where there is no vault, or no passphrase: what opens a backup, what opens the vault
//! that is made for it, and that none is left where nothing came back.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use voxvault::recording::RecordingId;

use super::{Owner, ids, segments};
use crate::support::{Home, Key, PASSPHRASE, Terminal, library, prepared};

/// An owner with one recording, a recovery key in `recovery.txt` and a backup.
fn owner() -> Owner {
    let mut owner = Owner::new();
    owner.record("minutes", 2);
    owner.merge();
    let add = ["key", "add", "--recovery-out", "recovery.txt"];
    owner.home.voxvault(add).run().ok();
    owner.home.write("second", b"a second passphrase");
    owner.back_up();
    owner
}

/// Another machine, with nothing but the backup, the recovery key and a passphrase.
fn machine(owner: &Owner) -> Home {
    let home = Home::in_memory();
    prepared::copy_dir(&owner.home.path("backup"), &home.path("backup"));
    for name in ["recovery.txt", "second"] {
        fs::copy(owner.home.path(name), home.path(name)).unwrap();
    }
    home
}

#[test]
fn an_identity_restores_and_the_new_vault_gets_a_passphrase_of_its_own() {
    let owner = owner();
    let home = machine(&owner);
    let restore = ["restore", "backup", "--identity", "recovery.txt"];
    let tried = home.voxvault([&restore[..], &["--test", "--json"]].concat());
    let tried = tried.locked().run().ok().json();
    assert_eq!(ids(&tried["restored"]).len(), 1);
    let nowhere = ["restore", "nowhere", "--identity", "recovery.txt"];
    home.voxvault(nowhere).locked().run().ended_with(4);
    // Nobody can be asked for a passphrase here, and none was given.
    home.voxvault(restore).locked().run().ended_with(2);
    assert!(!home.vault().exists());
    let made = home.voxvault(restore).passphrase_file("second");
    assert!(made.run().ok().text().contains("restored 1 recording;"));
    owner.assert_held(&library::unlock(&home.vault(), "a second passphrase"), &[]);

    // A vault that no passphrase opens.
    let remove = ["key", "remove", "passphrase"];
    owner.home.voxvault(remove).run().ok();
    let again = owner.home.voxvault(restore).locked().run().ok();
    assert!(again.text().contains("1 was there"), "{again}");
}

#[test]
fn a_recovery_key_opens_every_backup_and_is_never_made_a_passphrase() {
    let owner = owner();
    let home = machine(&owner);
    let refused = home.voxvault(["restore", "backup"]);
    let refused = refused.passphrase_file("recovery.txt").run().ended_with(2);
    assert!(refused.stderr.contains("--identity FILE"), "{refused}");
    assert!(!home.vault().exists());
    let from = ["--from-identity", "recovery.txt"];
    let verify = [&["backup", "verify", "backup"][..], &from].concat();
    let verified = home.voxvault(&verify).locked().run().ok();
    assert!(verified.text().contains("checked 1 recordings"));
    let restore = [&["restore", "backup", "--json"][..], &from].concat();
    let restored = home.voxvault(&restore).passphrase_file("second");
    assert_eq!(ids(&restored.run().ok().json()["restored"]).len(), 1);
    // A key that opens neither a segment nor a way in beside them.
    let other = self::owner();
    fs::copy(other.home.path("recovery.txt"), home.path("recovery.txt")).unwrap();
    home.voxvault(&verify).locked().run().ended_with(3);
}

#[test]
fn a_restore_that_fails_makes_no_vault() {
    let owner = owner();
    let home = machine(&owner);
    let stream = owner.home.voxvault(["backup", "-"]).run().ok().stdout;
    let identity = owner.open.backup_identity().unwrap().to_text();
    home.write("identity", identity.as_bytes());
    let from = |identity: &str, stream: &[u8]| {
        let args = ["restore", "-", "--from-identity", identity];
        let run = home.voxvault(args).passphrase_file("second");
        run.stdin(stream.to_vec()).run()
    };
    // No passphrase is asked for where nothing opens: the recovery key opens ways in,
    // and a stream brings none along.
    from("recovery.txt", &stream).ended_with(3);
    assert!(!home.vault().exists());
    let cut = from("identity", &stream[..stream.len() - 100]).ended_with(5);
    assert!(cut.stderr.contains("was removed again"), "{cut}");
    assert!(!home.vault().exists());

    let whole = fs::read(&segments(&home.path("backup"))[0]).unwrap();
    let mut bytes = whole.clone();
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    fs::write(&segments(&home.path("backup"))[0], &bytes).unwrap();
    let damaged = home.voxvault(["restore", "backup"]).run().ended_with(5);
    assert!(damaged.stderr.contains("nothing was restored"), "{damaged}");
    assert!(!home.vault().exists());

    // The control.
    let restored = from("identity", &stream).ok();
    assert!(restored.text().contains("restored 1 recording;"));
    assert!(home.vault().exists());
}

#[test]
fn what_is_told_is_what_happened() {
    let mut owner = owner();
    let gone = owner.record("gone", 1);
    owner.merge();
    owner.back_up();
    owner.shred(&[gone]);
    owner.back_up();
    let count = |args: &[&str]| {
        let run = owner
            .home
            .voxvault([&["restore", "backup", "--json"], args].concat());
        run.run().ok().json()
    };
    assert_eq!(count(&[])["destroyed"], 1, "the control");
    let id = gone.to_string();
    let tried = count(&["--resurrect", &id, "--test"]);
    assert_eq!(
        (&tried["destroyed"], ids(&tried["restored"]).len()),
        (&0.into(), 2)
    );
    let back = count(&["--resurrect", &id]);
    assert!(back["resurrected"].is_string());
    assert_eq!(back["destroyed"], 0);

    let segment = &segments(&owner.home.path("backup"))[0];
    let mut bytes = fs::read(segment).unwrap();
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    fs::write(segment, bytes).unwrap();
    let test = ["restore", "backup", "--test"];
    let said = owner.home.voxvault(test).run().ended_with(5).stderr;
    assert!(said.contains("what is sound could be restored"), "{said}");
}

#[test]
fn one_that_was_never_destroyed_comes_once_however_it_is_asked_for() {
    let owner = owner();
    let id = *owner.held.keys().next().unwrap();
    let wanted = id.to_string();
    let stream = owner.home.voxvault(["backup", "-"]).run().ok().stdout;
    let identity = owner.open.backup_identity().unwrap().to_text();
    for from in ["backup", "-"] {
        let home = machine(&owner);
        home.write("identity", identity.as_bytes());
        let restore = ["restore", from, "--resurrect", &wanted, "--json"];
        let by = ["--from-identity", "identity"];
        let run = home.voxvault([&restore[..], &by].concat());
        let run = run.passphrase_file("second").stdin(stream.clone());
        let done = run.run().ok();
        assert!(done.stderr.contains("it was not destroyed"), "{done}");
        assert_eq!(ids(&done.json()["restored"]), [id]);
        assert!(done.json()["resurrected"].is_null(), "{done}");
        owner.assert_held(&library::unlock(&home.vault(), "a second passphrase"), &[]);
    }
}

#[test]
fn a_receipt_names_the_backup_that_recordings_came_from() {
    let mut owner = Owner::new();
    let id = owner.record("doomed", 1);
    owner.merge();
    owner.back_up();
    let dir = owner.other_vault("new");
    let new = |args: &[&str]| {
        let all = ["--vault", "new"].iter().chain(args).copied();
        owner.home.voxvault(all).run().ok()
    };
    new(&["restore", "backup"]);
    // What the vault made itself is not in it.
    let open = library::unlock(&dir, PASSPHRASE);
    let own = library::record(open.vault(), "own", 1);
    open.merge().unwrap();
    drop(open);
    let named = |id: RecordingId| {
        let id = id.to_string();
        let receipt = new(&["shred", &id, "--yes", "--json"]).json();
        let holding = receipt["backups_still_holding"].as_array().unwrap();
        let paths = holding.iter().map(|one| one["path"].as_str().unwrap());
        paths
            .map(|path| path.ends_with("backup"))
            .collect::<Vec<_>>()
    };
    let list = new(&["backup", "list"]);
    assert!(
        list.text().trim_end().ends_with("backup  restored from"),
        "{list}"
    );
    assert!(named(own).is_empty());
    assert_eq!(named(id), [true]);
    let known = new(&["backup", "list", "--json"]).json();
    assert_eq!(known["backups"].as_array().unwrap().len(), 1, "{known}");
    let one = &known["backups"][0];
    assert_eq!(
        (&one["state"], &one["segments"]),
        (&"restored from".into(), &Value::Null)
    );
}

#[test]
fn who_has_no_key_to_a_backup_is_told_to_which_file_and_what_opens_it() {
    let owner = owner();
    let other = Home::in_memory();
    prepared::copy_dir(&owner.home.path("backup"), &other.path("backup"));
    drop(prepared::make_quick_vault(&other.vault()));
    other.write("second", b"a passphrase of its own");
    let passwd = ["passwd", "--new-passphrase-file", "second"];
    other.voxvault(passwd).run().ok();
    let run = |args: &[&str]| {
        let run = other.voxvault(args.iter().copied());
        run.passphrase_file("second").run().ended_with(3)
    };
    let hint = "hint: --from-identity backup/passphrase.age asks for the passphrase of its time";
    for args in [&["restore", "backup"][..], &["backup", "verify", "backup"]] {
        let told = run(args);
        let what = "can't open the backup (backup/0001.tar.age): no key of this vault opens it";
        assert!(
            told.stderr.contains(what) && told.stderr.contains(hint),
            "{told}"
        );
    }
    // A key that is no key to it.
    let key = other.voxvault(["key", "add", "--recovery-out", "recovery.txt"]);
    key.passphrase_file("second").run().ok();
    let told = run(&["restore", "backup", "--from-identity", "recovery.txt"]);
    assert!(
        told.stderr
            .contains("no key in the file that was given opens it"),
        "{told}"
    );
    // On a machine without a vault.
    let told = run(&["--vault", "none", "restore", "backup"]);
    assert!(
        told.stderr.contains("none of the ways in that lie there"),
        "{told}"
    );
    assert!(told.stderr.contains("the passphrase of its time"), "{told}");

    // As the hint says.
    let file = other.path("second");
    let args = [
        "--passphrase-file",
        file.to_str().unwrap(),
        "restore",
        "backup",
        "--from-identity",
        "backup/passphrase.age",
    ];
    let mut terminal = Terminal::voxvault(&other, args, (80, 24), Vec::new());
    terminal.wait_for("assphrase");
    terminal.type_text(PASSPHRASE);
    terminal.press(Key::Enter);
    terminal.wait_for("restored 1 recording;");
    assert_eq!(terminal.wait_for_end(Duration::from_secs(60)), Some(0));
}

#[test]
fn a_passphrase_that_opens_no_identity_is_told_where_nobody_can_be_asked_for_another() {
    let owner = owner();
    let home = machine(&owner);
    home.write("wrong", b"words of another time");
    let from = ["backup", "--from-identity", "backup/passphrase.age"];
    for command in [&["backup", "verify"][..], &["restore"]] {
        let args = [command, &from].concat();
        let with = |file: &str| {
            let run = home.voxvault(&args).passphrase_file(file).run();
            run.ended_with(3).stderr
        };
        let told = with("wrong");
        let what =
            "can't read the identity (backup/passphrase.age): it is under another passphrase";
        assert!(told.contains(what), "{told}");
        assert!(told.contains("hint: --passphrase-file FILE"), "{told}");
        let told = with("nowhere");
        let what = "can't read the passphrase (nowhere): No such file";
        assert!(told.contains(what), "{told}");
        assert!(!home.vault().exists());
        // The control.
        home.voxvault(&args).run().ok();
    }
}

#[test]
fn a_rehearsal_compares_with_whatever_vault_there_is_and_says_where_there_is_none() {
    let mut owner = owner();
    let id = owner.record("with words", 2);
    owner.merge();
    owner.say(id, "said");
    owner.back_up();
    let all = owner.held.len();
    let run = |vault: &str, args: &[&str]| {
        let all = [&["--vault", vault, "restore", "backup"], args].concat();
        owner.home.voxvault(all).run().ok()
    };
    let told = run("none", &["--test"]);
    let what = "nothing was compared, since there is no vault here";
    assert!(told.text().contains(what), "{told}");
    let test = &run("none", &["--test", "--json"]).json()["test"];
    assert_eq!(
        (&test["compared"], &test["same"], &test["only_in_backup"]),
        (&false.into(), &Value::Null, &Value::Null)
    );
    // One that is empty, and then was restored from it.
    let dir = owner.other_vault("other");
    let counts = |names: [&str; 4]| {
        let done = run("other", &["--test", "--json"]).json();
        assert_eq!(done["test"]["compared"], true);
        names.map(|name| done["test"][name].as_u64().unwrap() as usize)
    };
    let names = ["same", "changed_since", "only_in_backup", "only_in_vault"];
    assert_eq!(counts(names), [0, 0, all, 0]);
    run("other", &[]);
    assert_eq!(counts(names), [all, 0, 0, 0]);
    // What goes on there by itself is no damage.
    let open = library::unlock(&dir, PASSPHRASE);
    library::record(open.vault(), "own", 1);
    open.merge().unwrap();
    for (text, vault) in [("said here", &owner.open), ("said there", &open)] {
        let said = library::transcript(text);
        vault.add_transcript(id, 0, &said).unwrap();
    }
    owner.back_up();
    assert_eq!(counts(names), [all - 1, 1, 0, 1]);
    let id = id.to_string();
    for (vault, from, to) in [(owner.home.vault(), "0", "0.4"), (dir, "0.8", "1.2")] {
        let vault = vault.display().to_string();
        let redact = ["--vault", &vault, "redact", &id, from, to, "--yes"];
        owner.home.voxvault(redact).run().ok();
    }
    owner.back_up();
    assert_eq!(counts(names), [all - 1, 1, 0, 1]);
}
