//! What was backed up comes back: all of it, on a machine that knows nothing but the
//! passphrase; and nothing of what was shredded or redacted since.

mod alone;
mod carried;
mod damaged;
mod fresh;
mod healed;
mod killed;
mod long;
mod numbered;
mod repacked;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use voxvault::recording::RecordingId;
use voxvault::vault::{Deed, Entry, OpenVault, ShredScope};

use crate::support::prepared::make_quick_vault;
use crate::support::{Home, library};

/// A vault whose owner makes backups, in a home of its own.
pub(crate) struct Owner {
    pub(crate) home: Home,
    pub(crate) open: OpenVault,
    /// What it holds: titles and segments.
    pub(crate) held: BTreeMap<RecordingId, (String, u32)>,
}

impl Owner {
    pub(crate) fn new() -> Self {
        let home = Home::in_memory();
        let open = make_quick_vault(&home.vault());
        Self {
            home,
            open,
            held: BTreeMap::new(),
        }
    }

    /// Records something with words.
    pub(crate) fn record(&mut self, title: &str, segments: u32) -> RecordingId {
        let id = library::record(self.open.vault(), title, segments);
        self.held.insert(id, (title.to_owned(), segments));
        id
    }

    pub(crate) fn say(&self, id: RecordingId, text: &str) {
        let said = library::transcript(text);
        self.open.add_transcript(id, 0, &said).unwrap();
    }

    pub(crate) fn merge(&self) {
        self.open.merge().unwrap();
    }

    pub(crate) fn shred(&mut self, ids: &[RecordingId]) {
        let everything = ShredScope::Everything;
        self.open.shred(ids, everything, &mut |_, _| ()).unwrap();
        ids.iter().for_each(|id| drop(self.held.remove(id)));
    }

    /// Backs up into `backup` in the home.
    pub(crate) fn back_up(&self) -> PathBuf {
        self.home.voxvault(["backup", "backup"]).run().ok();
        self.home.path("backup")
    }

    /// An empty vault beside, that opens at once with the same passphrase.
    pub(crate) fn other_vault(&self, name: &str) -> PathBuf {
        let dir = self.home.path(name);
        fs::remove_dir_all(&dir).ok();
        drop(make_quick_vault(&dir));
        dir
    }

    /// A vault holds all that this one does, but for these.
    pub(crate) fn assert_held(&self, open: &OpenVault, but: &[RecordingId]) {
        let listing = open.listing().unwrap();
        assert!(listing.damaged.is_empty(), "{:?}", listing.damaged);
        let mut found: Vec<_> = listing.recordings.iter().map(|one| one.id).collect();
        found.sort_unstable();
        let due = self.held.keys().filter(|id| !but.contains(id));
        let due: Vec<_> = due.copied().collect();
        assert_eq!(found, due);
        for id in due {
            let (title, segments) = &self.held[&id];
            assert_heard(open, id, title, *segments);
        }
    }
}

/// A recording sounds as it was spoken. What fills up its last segment is not backed
/// up: the last packets of that are others.
pub(crate) fn assert_heard(open: &OpenVault, id: RecordingId, title: &str, segments: u32) {
    const PACKET_BYTES: usize = 70;
    let card = open.recording(id).unwrap().card;
    assert_eq!(card.title, title);
    let packets = (card.samples + u64::from(card.pre_skip)).div_ceil(960);
    let due: Vec<u8> = (0..segments)
        .flat_map(|segment| library::packets(title, segment))
        .collect();
    let due = &due[..due.len().min(packets as usize * PACKET_BYTES)];
    let (mut heard, mut sound) = (Vec::new(), open.sound(id).unwrap());
    while let Some(segment) = sound.next_segment().unwrap() {
        heard.extend_from_slice(&segment.packets);
    }
    assert!(heard.starts_with(due), "{title}");
}

/// The ids in a list of JSON.
pub(crate) fn ids(value: &Value) -> Vec<RecordingId> {
    let list = value.as_array().unwrap().iter();
    list.map(|id| id.as_str().unwrap().parse().unwrap())
        .collect()
}

/// The segments of a backup, in order.
pub(crate) fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = dir
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".tar.age"))
        .collect();
    found.sort();
    found
}

#[test]
fn a_machine_that_is_lost_costs_nothing_but_the_passphrase() {
    let mut owner = Owner::new();
    let id = owner.record("minutes", 12);
    owner.record("dictation", 1);
    owner.merge();
    owner.say(id, "what was said");
    owner
        .open
        .update_card(id, &mut |card| {
            card.pinned = true;
            card.note = "a note".to_owned();
            card.tags = vec!["work".to_owned()];
        })
        .unwrap();
    owner.say(id, "what was said, better");
    let backup = owner.back_up();
    let verified = owner
        .home
        .voxvault(["backup", "verify", "backup", "--json"]);
    let verified = verified.run().ok().json();
    assert_eq!(verified["damage"], serde_json::json!([]));
    assert_eq!(verified["checked"]["recordings"], 2);

    // Another machine, on which there is nothing but the folder.
    let other = Home::new();
    crate::support::prepared::copy_dir(&backup, &other.path("backup"));
    let first = other.voxvault(["backup", "verify", "backup"]).run().ok();
    assert!(first.text().contains("checked 2 recordings"));
    let restored = other.voxvault(["restore", "backup", "--json"]).run().ok();
    let restored = restored.json();
    assert_eq!(ids(&restored["restored"]).len(), 2);
    assert_eq!(restored["vault"], other.vault().display().to_string());
    let open = library::unlock(&other.vault(), crate::support::PASSPHRASE);
    owner.assert_held(&open, &[]);
    let back = open.recording(id).unwrap();
    assert_eq!(back.card, owner.open.recording(id).unwrap().card);
    assert_eq!(back.versions, owner.open.recording(id).unwrap().versions);
    let words = open.transcript(id, 2).unwrap();
    assert_eq!(words, owner.open.transcript(id, 2).unwrap());
    // Under keys of its own, and once more changes nothing.
    assert_ne!(open.vault_id().unwrap(), owner.open.vault_id().unwrap());
    let revision = open.revision().unwrap();
    let again = other.voxvault(["restore", "backup", "--json"]).run().ok();
    assert_eq!(again.json()["there"], 2);
    assert_eq!(open.revision().unwrap(), revision);
    let log = open.read_log().unwrap();
    let is_logged = |entry: &Entry| entry.deed == Deed::Restore && entry.ids.contains(&id);
    assert!(log.entries.iter().any(is_logged));
}

#[test]
fn what_was_redacted_since_does_not_come_back_with_an_older_copy_of_the_backup() {
    let mut owner = Owner::new();
    let id = owner.record("names a source", 5);
    owner.merge();
    let old = owner.home.path("old");
    crate::support::prepared::copy_dir(&owner.back_up(), &old);
    let id_text = id.to_string();
    let redact = ["redact", &id_text, "0.8", "1.6", "--yes"];
    owner.home.voxvault(redact).run().ok();
    // Into the vault itself: the epoch that it destroyed stays destroyed, and the one
    // that is there stays as it is.
    let before = owner.open.recording(id).unwrap();
    assert_eq!(before.epoch, 1, "the control");
    let restored = owner.home.voxvault(["restore", "old", "--json"]).run().ok();
    assert_eq!(ids(&restored.json()["restored"]), []);
    assert_eq!(owner.open.recording(id).unwrap(), before);
    // It is there: what was destroyed is a part of it.
    assert_eq!(restored.json()["there"], 1);
    assert_eq!(restored.json()["destroyed"], 0);
    let said = owner.home.voxvault(["restore", "old"]).run().ok();
    let told = "restored 0 recordings; 1 was there, 0 were destroyed and stay so";
    assert_eq!(said.text().lines().last(), Some(told), "{said}");
    // Into another one, once the backup knows of it: the redacted one comes back.
    owner.back_up();
    let dir = owner.other_vault("other");
    let vault = ["--vault", "other", "restore", "backup", "--json"];
    let restored = owner.home.voxvault(vault).run().ok().json();
    assert_eq!(ids(&restored["restored"]), [id]);
    let open = library::unlock(&dir, crate::support::PASSPHRASE);
    assert_eq!(open.recording(id).unwrap().epoch, 1);
    // And the older copy, afterwards, does not bring the other one back.
    let vault = ["--vault", "other", "shred", &id_text, "--yes"];
    owner.home.voxvault(vault).run().ok();
    let vault = ["--vault", "other", "restore", "old", "--json"];
    let restored = owner.home.voxvault(vault).run().ok().json();
    assert_eq!(restored["destroyed"], 1);
    let said = owner.home.voxvault(&vault[..4]).run().ok();
    assert!(
        said.text().contains("1 was destroyed and stays so"),
        "{said}"
    );
    assert!(open.recordings().unwrap().is_empty());
}

#[test]
fn a_stream_comes_back_with_the_key_that_was_exported_for_it() {
    let mut owner = Owner::new();
    let gone = owner.record("gone", 2);
    let kept = owner.record("kept", 3);
    owner.merge();
    owner.shred(&[gone]);
    let stream = owner.home.voxvault(["backup", "-"]).run().ok().stdout;
    let identity = owner.open.backup_identity().unwrap().to_text();
    owner.home.write("identity", identity.as_bytes());
    let other = owner.other_vault("other");
    let args = [
        "--vault",
        "other",
        "restore",
        "-",
        "--from-identity",
        "identity",
        "--json",
    ];
    let run = || owner.home.voxvault(args).stdin(stream.clone());
    assert_eq!(ids(&run().run().ok().json()["restored"]), [kept]);
    let open = library::unlock(&other, crate::support::PASSPHRASE);
    owner.assert_held(&open, &[]);
    assert_eq!(run().run().ok().json()["there"], 1);
    // A copy of the way in does it too: the passphrase that was given opens it.
    owner
        .home
        .voxvault(["key", "export", "-o", "slot.age", "passphrase"])
        .run()
        .ok();
    let by_slot = [
        "--vault",
        "other",
        "restore",
        "-",
        "--from-identity",
        "slot.age",
        "--json",
    ];
    let restored = owner
        .home
        .voxvault(by_slot)
        .stdin(stream.clone())
        .run()
        .ok();
    assert_eq!(restored.json()["there"], 1);
    // Of what was redacted since a later epoch is there.
    let kept = kept.to_string();
    let redact = ["--vault", "other", "redact", &kept, "0", "0.8", "--yes"];
    owner.home.voxvault(redact).run().ok();
    let again = run().run().ok().json();
    assert_eq!(
        (&again["there"], &again["destroyed"]),
        (&1.into(), &0.into())
    );
    // Cut off, nothing of it counts.
    let other = owner.other_vault("other");
    let cut = stream[..stream.len() - 100].to_vec();
    owner.home.voxvault(args).stdin(cut).run().ended_with(5);
    let open = library::unlock(&other, crate::support::PASSPHRASE);
    assert!(open.recordings().unwrap().is_empty());
}

#[test]
fn a_rehearsal_says_what_would_come_back_and_leaves_nothing_behind() {
    let mut owner = Owner::new();
    let one = owner.record("one", 2);
    let two = owner.record("two", 1);
    owner.merge();
    owner.say(one, "said");
    owner.back_up();
    owner.record("three", 1);
    owner.merge();
    owner
        .open
        .update_card(two, &mut |card| card.note = "later".to_owned())
        .unwrap();
    let scratch = owner.home.path("scratch");
    fs::create_dir(&scratch).unwrap();
    let revision = owner.open.revision().unwrap();
    let tried = owner
        .home
        .voxvault(["restore", "backup", "--test", "--json"])
        .env("TMPDIR", &scratch)
        .run()
        .ok()
        .json();
    assert_eq!(tried["test"]["same"], 1);
    assert_eq!(tried["test"]["changed_since"], 1);
    assert_eq!(tried["test"]["only_in_vault"], 1);
    assert_eq!(tried["test"]["differences"], serde_json::json!([]));
    assert_eq!(scratch.read_dir().unwrap().count(), 0);
    assert_eq!(owner.open.revision().unwrap(), revision);
    // Damage is found, and ends with 5.
    let segment = &segments(&owner.home.path("backup"))[0];
    let mut bytes = fs::read(segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(segment, bytes).unwrap();
    owner
        .home
        .voxvault(["restore", "backup", "--test"])
        .run()
        .ended_with(5);
}

#[test]
fn what_is_no_backup_and_what_no_key_opens_is_refused_with_a_reason() {
    let mut owner = Owner::new();
    owner.record("one", 1);
    owner.merge();
    owner.back_up();
    fs::create_dir(owner.home.path("empty")).unwrap();
    for at in ["empty", "nowhere"] {
        let run = |args: &[&str]| owner.home.voxvault(args.iter().copied()).run();
        run(&["backup", "verify", at]).ended_with(4);
        run(&["restore", at]).ended_with(4);
    }
    // Another vault, another passphrase.
    let other = Home::new();
    crate::support::prepared::copy_dir(&owner.home.path("backup"), &other.path("backup"));
    other.write("wrong", b"quite another passphrase");
    let wrong = |args: &[&str]| {
        let run = other.voxvault(args.iter().copied());
        run.passphrase_file("wrong").run()
    };
    wrong(&["restore", "backup"]).ended_with(3);
    wrong(&["backup", "verify", "backup"]).ended_with(3);
    assert!(!other.vault().exists(), "nothing was made for it");
    other
        .voxvault(["restore", "-"])
        .stdin(b"not a backup".to_vec())
        .run()
        .ended_with(3);
    let resurrect = ["restore", "backup", "--resurrect", "abcd"];
    owner.home.voxvault(resurrect).run().ended_with(2);
    let nobody = "00000000000000000000000000000000";
    let resurrect = ["restore", "backup", "--resurrect", nobody];
    owner.home.voxvault(resurrect).run().ended_with(4);
}
