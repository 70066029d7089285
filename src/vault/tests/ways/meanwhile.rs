//! Others are at work on the keys while somebody unlocks, or changes the ways in.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::{
    content_of_files, keys_of, names, nobody, rekey, with_passphrase, with_recovery, words,
};
use crate::crypto::{CryptoError, Opener, Passphrase, RecoveryKey, SlotSecrets, WayKey};
use crate::vault::bag::WayKind;
use crate::vault::ground::disk::RealDisk;
use crate::vault::ground::lock::Lock;
use crate::vault::tests::{PASSPHRASE, again, new_vault, passphrase};
use crate::vault::{Error, NewWay, OpenVault, Vault};

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
    assert!((4..=24).contains(&tried), "{tried}");
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
