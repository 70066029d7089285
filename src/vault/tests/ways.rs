//! Promises about the ways in: each opens the vault, what was taken away opens nothing
//! that is left, and nobody is locked out.

mod files;
mod meanwhile;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{PASSPHRASE, again, assert_sound, new_vault, passphrase, record};
use crate::crypto::{
    Asker, CryptoError, Identities, Nobody, Passphrase, RecoveryKey, SlotSecrets, WayKey,
    WorkFactor,
};
use crate::vault::bag::{Way, WayKind};
use crate::vault::{Error, NewWay, OpenVault, Rekeying, Vault};

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
