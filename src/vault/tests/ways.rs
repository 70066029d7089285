//! Promises about the ways in: each opens the vault, what was taken away opens nothing
//! that is left, and nobody is locked out.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{PASSPHRASE, again, assert_sound, new_vault, passphrase, record};
use crate::crypto::{
    Asker, CryptoError, Identities, Nobody, Opener, Passphrase, RecoveryKey, SlotSecrets, WayKey,
    WorkFactor,
};
use crate::vault::bag::{Way, WayKind};
use crate::vault::ground::disk::RealDisk;
use crate::vault::ground::lock::Lock;
use crate::vault::{Error, NewWay, Notice, OpenVault, Rekeying, Vault};

fn nobody() -> Arc<dyn Asker> {
    Arc::new(Nobody)
}

fn words(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

/// A recovery key that the vault knows, as it is typed.
fn with_recovery(open: &OpenVault, name: &str) -> Passphrase {
    let key = RecoveryKey::generate();
    open.add_way(&NewWay {
        name,
        kind: WayKind::Recovery,
        key: WayKey::Recipient(&key.recipient(), &nobody()),
        now_ms: 7,
    })
    .unwrap();
    words(&key.to_groups())
}

fn with_passphrase(open: &OpenVault, name: &str, text: &str) {
    let passphrase = words(text);
    open.add_way(&NewWay {
        name,
        kind: WayKind::Passphrase,
        key: WayKey::Passphrase(&passphrase, WorkFactor::NONE),
        now_ms: 7,
    })
    .unwrap();
}

/// A new master key, without these.
fn rekey(open: &OpenVault, known: &[(&str, &str)], dropped: &[&str]) -> Result<(), Error> {
    let known: Vec<(String, Passphrase)> = known
        .iter()
        .map(|(name, text)| ((*name).to_owned(), words(text)))
        .collect();
    open.rekey(&Rekeying {
        passphrases: known
            .iter()
            .map(|(name, one)| (name.clone(), one))
            .collect(),
        dropped: dropped.iter().map(|name| (*name).to_owned()).collect(),
        work: WorkFactor::NONE,
        ..Rekeying::default()
    })
}

fn unlock(open: &OpenVault, key: &Passphrase) -> Result<OpenVault, Error> {
    Vault::open(open.vault().dir())?.unlock(key)
}

/// A passphrase, and others who do something each time that it has opened a slot, before
/// anybody looks whether what was in it is in force.
struct Beside<'a, F: Fn()> {
    key: &'a Passphrase,
    tried: RefCell<Vec<Vec<u8>>>,
    others: F,
}

impl<F: Fn()> Opener for Beside<'_, F> {
    fn open_slot(&self, sealed: &[u8]) -> Result<SlotSecrets, CryptoError> {
        self.tried.borrow_mut().push(sealed.to_owned());
        let opened = self.key.open_slot(sealed);
        (self.others)();
        opened
    }

    fn is_passphrase(&self) -> bool {
        true
    }
}

/// Opens the vault once more while others replace the master key so many times, each time
/// that a slot was opened. How it ended, and how many slots were tried.
fn unlock_beside(open: &OpenVault, replacements: usize) -> (Result<OpenVault, Error>, usize) {
    let (left, key) = (Cell::new(replacements), passphrase());
    let beside = Beside {
        key: &key,
        tried: RefCell::default(),
        others: || {
            if left.get() > 0 {
                left.set(left.get() - 1);
                rekey(&again(open), &[("passphrase", PASSPHRASE)], &[]).unwrap();
            }
        },
    };
    let ended = Vault::open(open.vault().dir()).unwrap().unlock(&beside);
    let tried = beside.tried.into_inner();
    let different: BTreeSet<_> = tried.iter().collect();
    assert_eq!(different.len(), tried.len(), "one was tried twice");
    (ended, tried.len())
}

#[test]
fn a_key_opens_a_vault_whose_master_key_others_replace_meanwhile() {
    let (_dir, open) = new_vault();
    let (unlocked, tried) = unlock_beside(&open, 0);
    unlocked.unwrap();
    assert_eq!(tried, 1);
    for replacements in [1, 3] {
        let (unlocked, tried) = unlock_beside(&open, replacements);
        assert_eq!(unlocked.unwrap().recordings().unwrap(), []);
        assert_eq!(tried, replacements + 1);
    }
    // Whoever never comes to it is told so, and not that his key is wrong.
    let (unlocked, tried) = unlock_beside(&open, usize::MAX);
    assert!(matches!(unlocked, Err(Error::Busy { .. })));
    assert!((4..20).contains(&tried), "{tried}");
}

#[test]
fn a_slot_that_was_opened_before_it_came_into_force_is_not_opened_again() {
    let (_dir, open) = new_vault();
    // Its slot is tried behind the other one, and does not open.
    with_passphrase(&open, "second", "other words altogether");
    let dir = open.vault().dir();
    let before = content_of_files(dir);
    let known = [
        ("passphrase", PASSPHRASE),
        ("second", "other words altogether"),
    ];
    rekey(&open, &known, &[]).unwrap();
    let after = content_of_files(dir);
    let put = |files: &BTreeMap<String, Vec<u8>>| {
        for (name, bytes) in files {
            std::fs::write(dir.join(name), bytes).unwrap();
        }
    };
    // The new slots are there, and the old root.
    put(&before);
    let (key, tried) = (passphrase(), Cell::new(0));
    let beside = Beside {
        key: &key,
        tried: RefCell::default(),
        others: || {
            tried.set(tried.get() + 1);
            if tried.get() == 2 {
                put(&after);
            }
        },
    };
    let unlocked = Vault::open(dir).unwrap().unlock(&beside).unwrap();
    assert_eq!(
        (tried.get(), unlocked.own_way().unwrap().as_str()),
        (2, "passphrase")
    );
    // Without that it is no way in.
    put(&before);
    let refused = Vault::open(dir).unwrap().unlock(&key);
    assert!(matches!(refused, Err(Error::WrongPassphrase { .. })));
}

#[test]
fn a_wrong_passphrase_is_told_while_another_holds_the_vault_unless_nobody_can_tell() {
    let (_dir, open) = new_vault();
    let (_other_dir, unread) = new_vault();
    // What is in its second way in nobody knows.
    with_passphrase(&unread, "second", "other words altogether");
    for name in ["second.age", "second.copy.age"] {
        let path = keys_of(&unread).join(name);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
    }
    let _held = [&open, &unread].map(|open| Lock::take(&RealDisk, open.vault().dir()).unwrap());
    std::thread::scope(|scope| {
        let tries = [
            (&open, "words that open nothing"),
            (&open, PASSPHRASE),
            (&unread, "words that open nothing"),
        ];
        let tries = tries.map(|(open, text)| {
            let dir = open.vault().dir().to_owned();
            scope.spawn(move || Vault::open(&dir)?.unlock(&words(text)).map(drop))
        });
        let [wrong, right, unread] = tries.map(|one| one.join().unwrap());
        assert!(
            matches!(wrong, Err(Error::WrongPassphrase { .. })),
            "{wrong:?}"
        );
        assert!(matches!(right, Err(Error::Busy { .. })), "{right:?}");
        assert!(matches!(unread, Err(Error::Busy { .. })), "{unread:?}");
    });
}

fn keys_of(open: &OpenVault) -> PathBuf {
    open.vault().dir().join("keys")
}

fn content(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    files
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            (name, std::fs::read(file.path()).unwrap())
        })
        .collect()
}

/// How many age files, at any place of any file of the vault, this key opens.
fn opens_anywhere(open: &OpenVault, key: &Passphrase) -> usize {
    const START: &[u8] = b"age-encryption.org/v1\n";
    let mut opened = 0;
    let dir = open.vault().dir().to_owned();
    for bytes in [content(&dir.join("keys")), content_of_files(&dir)]
        .iter()
        .flat_map(BTreeMap::values)
    {
        let starts = bytes
            .windows(START.len())
            .enumerate()
            .filter(|(_, window)| *window == START);
        for (at, _) in starts {
            opened += usize::from(SlotSecrets::open(&bytes[at..], key).is_ok());
        }
    }
    opened
}

fn content_of_files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    files
        .filter(|file| file.file_type().unwrap().is_file())
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            (name, std::fs::read(file.path()).unwrap())
        })
        .collect()
}

fn names(open: &OpenVault) -> Vec<String> {
    open.ways().unwrap().into_keys().collect()
}

#[test]
fn every_way_in_opens_the_vault_and_survives_a_new_master_key() {
    let (_dir, open) = new_vault();
    let id = record(open.vault(), 1, 2);
    open.merge().unwrap();
    let recovery = with_recovery(&open, "recovery");
    with_passphrase(&open, "second", "a second passphrase");
    let identity = age_identity(&open, "phone");
    let before = open.vault_id().unwrap();
    for round in 0..3 {
        for key in [&passphrase(), &recovery, &words("a second passphrase")] {
            let other = unlock(&open, key).unwrap();
            assert_eq!(other.notices(), [], "round {round}");
            assert!(other.vault_id().unwrap() == before);
            assert_sound(&other, id, 1, 2);
        }
        let other = Vault::open(open.vault().dir())
            .unwrap()
            .unlock(&identity)
            .unwrap();
        assert_eq!(other.own_way().unwrap(), "phone");
        let known = [
            ("passphrase", PASSPHRASE),
            ("second", "a second passphrase"),
        ];
        rekey(&open, &known, &[]).unwrap();
    }
    assert_eq!(names(&open), ["passphrase", "phone", "recovery", "second"]);
    // Two files for each, and nothing that waits.
    assert_eq!(content(&keys_of(&open)).len(), 8);
}

/// An age identity that the vault knows.
fn age_identity(open: &OpenVault, name: &str) -> Identities {
    let key = RecoveryKey::generate();
    open.add_way(&NewWay {
        name,
        kind: WayKind::Age,
        key: WayKey::Recipient(&key.recipient(), &nobody()),
        now_ms: 0,
    })
    .unwrap();
    Identities::read(key.to_identity().as_bytes(), "phone", &nobody())
        .ok()
        .unwrap()
}

#[test]
fn what_was_removed_opens_nothing_that_is_in_the_directory() {
    for removed in ["recovery", "passphrase"] {
        let (_dir, open) = new_vault();
        let id = record(open.vault(), 1, 2);
        open.merge().unwrap();
        let recovery = with_recovery(&open, "recovery");
        let (gone, stays, known): (_, _, &[(&str, &str)]) = match removed {
            "recovery" => (recovery, passphrase(), &[("passphrase", PASSPHRASE)]),
            _ => (passphrase(), recovery, &[]),
        };
        // A copy that somebody has made of it by hand, under a name of his own.
        let keys = keys_of(&open);
        std::fs::copy(keys.join(format!("{removed}.age")), keys.join("mine.age")).unwrap();
        assert_eq!(opens_anywhere(&open, &gone), 3, "the control");
        rekey(&open, known, &[removed]).unwrap();
        assert_eq!(opens_anywhere(&open, &gone), 0);
        assert!(opens_anywhere(&open, &stays) > 0);
        assert!(matches!(
            unlock(&open, &gone),
            Err(Error::WrongPassphrase { .. })
        ));
        let other = unlock(&open, &stays).unwrap();
        assert_eq!(other.notices(), []);
        assert_sound(&other, id, 1, 2);
        // Whoever was in goes on, and its next change is by a way that is there.
        assert!(open.ways().unwrap().contains_key(&open.own_way().unwrap()));
        assert!(!content(&keys).contains_key("mine.age"));
    }
}

#[test]
fn the_backup_identity_is_another_one_then_and_the_ones_before_stay_readable() {
    let (_dir, open) = new_vault();
    let first = open.backup_identity().unwrap().recipient();
    let recovery = with_recovery(&open, "recovery");
    let of = |key: &Passphrase| {
        let sealed = content(&keys_of(&open))["recovery.age"].clone();
        SlotSecrets::open(&sealed, key).unwrap()
    };
    assert_eq!(of(&recovery).backup.recipient(), first);
    rekey(&open, &[("passphrase", PASSPHRASE)], &[]).unwrap();
    let second = open.backup_identity().unwrap().recipient();
    assert_ne!(first, second);
    rekey(&open, &[("passphrase", PASSPHRASE)], &[]).unwrap();
    let slot = of(&recovery);
    assert_eq!(
        slot.backup.recipient(),
        open.backup_identity().unwrap().recipient()
    );
    let former: Vec<_> = slot.former.iter().map(|one| one.recipient()).collect();
    assert_eq!(former, [second, first]);
    assert!(
        slot.signer
            == open
                .session()
                .with(|held| Ok(held.bag().signing.public()))
                .unwrap()
    );
}

#[test]
fn the_last_way_in_and_what_is_not_there_cant_be_removed() {
    let (_dir, open) = new_vault();
    let before = content(&keys_of(&open));
    let last = rekey(&open, &[], &["passphrase"]);
    assert!(matches!(last, Err(Error::LastWay { name }) if name == "passphrase"));
    let missing = rekey(&open, &[("passphrase", PASSPHRASE)], &["phone"]);
    assert!(matches!(missing, Err(Error::NoWay { name }) if name == "phone"));
    with_recovery(&open, "recovery");
    let both = rekey(&open, &[], &["passphrase", "recovery"]);
    assert!(matches!(both, Err(Error::LastWay { .. })));
    let now = content(&keys_of(&open));
    assert!(before.iter().all(|(name, bytes)| now[name] == *bytes));
    again(&open);
}

#[test]
fn a_passphrase_that_nobody_tells_is_asked_for_and_nothing_is_changed_without_it() {
    let (_dir, open) = new_vault();
    with_passphrase(&open, "second", "a second passphrase");
    let before = content(&keys_of(&open));
    let refused = rekey(&open, &[("passphrase", PASSPHRASE)], &[]);
    assert!(matches!(refused, Err(Error::NeedsPassphrase { name }) if name == "second"));
    assert_eq!(content(&keys_of(&open)), before);
    assert!(
        open.way_opens("second", &words("a second passphrase"))
            .unwrap()
    );
    assert!(!open.way_opens("second", &passphrase()).unwrap());
    rekey(&open, &[("passphrase", PASSPHRASE)], &["second"]).unwrap();
    assert_eq!(names(&open), ["passphrase"]);
    assert_eq!(opens_anywhere(&open, &words("a second passphrase")), 0);
}

#[test]
fn a_name_that_is_taken_or_can_be_none_is_refused() {
    let (_dir, open) = new_vault();
    let key = RecoveryKey::generate().recipient();
    let add = |name: &str| {
        open.add_way(&NewWay {
            name,
            kind: WayKind::Recovery,
            key: WayKey::Recipient(&key, &nobody()),
            now_ms: 0,
        })
    };
    assert!(matches!(add("passphrase"), Err(Error::WayExists { .. })));
    for name in [
        "",
        "a.new",
        "../keys",
        "Phone",
        "x.copy",
        "\u{1b}[2J",
        &"a".repeat(33),
    ] {
        assert!(
            matches!(add(name), Err(Error::BadWayName { .. })),
            "{name:?}"
        );
    }
    // A file of somebody else's is not overwritten.
    std::fs::write(keys_of(&open).join("phone.age"), b"somebody's").unwrap();
    assert!(matches!(add("phone"), Err(Error::WayExists { .. })));
    assert_eq!(content(&keys_of(&open))["phone.age"], b"somebody's");
}

#[test]
fn a_damaged_file_is_mended_from_its_twin_whichever_way_in_is_taken() {
    let (_dir, open) = new_vault();
    with_recovery(&open, "recovery");
    let whole = content(&keys_of(&open));
    for name in whole.keys() {
        let path = keys_of(&open).join(name);
        let mut bytes = whole[name].clone();
        bytes[40] ^= 1;
        for damaged in [Some(bytes.as_slice()), Some(&bytes[..100]), Some(b""), None] {
            match damaged {
                Some(bytes) => std::fs::write(&path, bytes).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            let notices = again(&open).notices();
            assert_eq!(notices, [Notice::Mended { path: path.clone() }], "{name}");
            assert_eq!(content(&keys_of(&open)), whole);
        }
    }
}

#[test]
fn a_way_in_whose_two_files_are_damaged_is_told_and_sealed_anew_by_the_next_master_key() {
    let (_dir, open) = new_vault();
    let recovery = with_recovery(&open, "recovery");
    for name in ["recovery.age", "recovery.copy.age"] {
        std::fs::write(keys_of(&open).join(name), b"age-encryption.org/v1\nnoise").unwrap();
    }
    let before = content(&keys_of(&open));
    assert!(matches!(
        unlock(&open, &recovery),
        Err(Error::WrongPassphrase { .. })
    ));
    let other = again(&open);
    let name = "recovery".to_owned();
    assert_eq!(other.notices(), [Notice::WayLost { name }]);
    assert_eq!(content(&keys_of(&open)), before, "nothing is given up");
    let verified = other.verify(&|_, _| ()).unwrap();
    assert_eq!(verified.flaws.len(), 2, "{:?}", verified.flaws);
    rekey(&other, &[("passphrase", PASSPHRASE)], &[]).unwrap();
    assert_eq!(unlock(&open, &recovery).unwrap().notices(), []);
}

#[test]
fn a_file_that_the_vault_does_not_know_is_told_and_left_alone() {
    let (_dir, open) = new_vault();
    let path = keys_of(&open).join("elsewhere.age");
    let strange = [
        b"".to_vec(),
        vec![7; 100],
        // Another vault's.
        content(&keys_of(&new_vault().1))["passphrase.age"].clone(),
        // One that asks for more work than there is.
        b"age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 40\nAAAA\n--- AAAA\n".to_vec(),
        vec![b'a'; 300 * 1024],
    ];
    for bytes in strange {
        std::fs::write(&path, &bytes).unwrap();
        let other = again(&open);
        assert_eq!(other.notices(), [Notice::StrangeWay { path: path.clone() }]);
        rekey(&other, &[("passphrase", PASSPHRASE)], &[]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        let notes = again(&open).verify(&|_, _| ()).unwrap().notes;
        assert!(
            notes
                .iter()
                .any(|note| note.contains("no way in that this vault knows"))
        );
    }
}

#[test]
fn what_was_prepared_in_vain_is_taken_away_by_the_next_unlocking() {
    let (_dir, open) = new_vault();
    let whole = content(&keys_of(&open));
    let slot = whole["passphrase.age"].clone();
    let zeros = "00".repeat(16);
    for (name, bytes) in [
        (format!("passphrase.{zeros}.new.age"), slot.clone()),
        (
            format!("passphrase.{zeros}.new.copy.age"),
            b"cut o".to_vec(),
        ),
        (format!("phone.{zeros}.new.age"), slot),
    ] {
        std::fs::write(keys_of(&open).join(name), bytes).unwrap();
    }
    assert_eq!(again(&open).notices(), []);
    assert_eq!(content(&keys_of(&open)), whole);
}

#[test]
fn a_plugin_that_is_missing_keeps_the_master_key_as_it_is() {
    const YUBIKEY: &str = "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t";
    let (_dir, open) = new_vault();
    let way = Way {
        kind: WayKind::Plugin,
        recipient: Some(YUBIKEY.to_owned()),
        made_at_ms: 0,
        hash: [0; 32],
    };
    open.change_settings(&mut |settings| {
        settings.ways.insert("hardware".to_owned(), way.clone());
    })
    .unwrap();
    let before = content(&keys_of(&open));
    let known = [("passphrase", PASSPHRASE)];
    match rekey(&open, &known, &[]) {
        Err(Error::Key(CryptoError::PluginMissing { name })) => assert_eq!(name, "yubikey"),
        // Somebody has it here, and no key to touch.
        Err(Error::Key(CryptoError::PluginFailed)) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(content(&keys_of(&open)), before);
    rekey(&open, &known, &["hardware"]).unwrap();
    assert_eq!(again(&open).notices(), []);
}

#[test]
fn two_who_change_the_ways_in_at_once_don_t_undo_each_other() {
    let (_dir, open) = new_vault();
    let other = again(&open);
    with_recovery(&other, "recovery");
    // The bag is read anew under the lock.
    with_recovery(&open, "recovery-2");
    assert_eq!(names(&other), ["passphrase", "recovery", "recovery-2"]);
    rekey(&other, &[("passphrase", PASSPHRASE)], &[]).unwrap();
    let key = RecoveryKey::generate().recipient();
    let late = open.add_way(&NewWay {
        name: "late",
        kind: WayKind::Recovery,
        key: WayKey::Recipient(&key, &nobody()),
        now_ms: 0,
    });
    assert!(matches!(late, Err(Error::KeysReplaced { .. })));
    let names: BTreeSet<String> = names(&again(&open)).into_iter().collect();
    assert_eq!(names.len(), 3);
}
