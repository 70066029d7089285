//! Files in `keys/` that are damaged, left over, or somebody else's.

use super::{content, keys_of, rekey, unlock, with_recovery};
use crate::vault::tests::{PASSPHRASE, again, new_vault};
use crate::vault::{Error, Notice};

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
