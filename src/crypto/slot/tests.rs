#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::super::SigningSeed;
use super::*;

fn secrets() -> SlotSecrets {
    SlotSecrets {
        vault: VaultId::generate().unwrap(),
        master: MasterKey::generate().unwrap(),
        backup: BackupIdentity::generate(),
        former: Vec::new(),
        signer: SigningSeed::from_bytes(&[7; 32]).public(),
    }
}

#[test]
fn a_slot_is_an_identity_file_with_the_newest_first_and_says_who_signs() {
    let secrets = SlotSecrets {
        former: vec![BackupIdentity::generate(), BackupIdentity::generate()],
        ..secrets()
    };
    let text = secrets.to_text();
    let written = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(written(&text), 3);
    assert!(text.contains(&secrets.signer.to_string()));
    let again = SlotSecrets::from_text(text.as_bytes()).unwrap();
    assert_eq!(again.backup.recipient(), secrets.backup.recipient());
    let former = |secrets: &SlotSecrets| -> Vec<_> {
        secrets
            .former
            .iter()
            .map(BackupIdentity::recipient)
            .collect()
    };
    assert_eq!(former(&again), former(&secrets));
    assert!(again.signer == secrets.signer);
    let nobody: Arc<dyn Asker> = Arc::new(super::super::asker::Nobody);
    let identities = Identities::read(text.as_bytes(), "slot", &nobody).unwrap();
    assert_eq!(identities.to_age().unwrap().len(), 3);
}

#[test]
fn a_slot_sealed_to_a_recovery_key_opens_as_it_is_typed_at_the_prompt() {
    let (secrets, key) = (secrets(), RecoveryKey::generate());
    let nobody: Arc<dyn Asker> = Arc::new(super::super::asker::Nobody);
    let recipient = key.recipient();
    let way = WayKey::Recipient(&recipient, &nobody);
    let sealed = secrets.seal_for(&way).unwrap();
    let typed = key.to_groups().to_lowercase();
    let opened = SlotSecrets::open(&sealed, &Passphrase::new(typed.clone())).unwrap();
    assert_eq!(opened.master.expose(), secrets.master.expose());
    let wrong = if typed.starts_with('q') { "p" } else { "q" };
    let mistyped = format!("{wrong}{}", &typed[1..]);
    assert!(matches!(
        SlotSecrets::open(&sealed, &Passphrase::new(mistyped)),
        Err(CryptoError::MistypedRecovery)
    ));
    assert!(matches!(
        SlotSecrets::open(&sealed, &Passphrase::new("correct horse".into())),
        Err(CryptoError::OtherKind)
    ));
    let other = RecoveryKey::generate().to_groups().to_string();
    assert!(matches!(
        SlotSecrets::open(&sealed, &Passphrase::new(other)),
        Err(CryptoError::WrongKey)
    ));
}

#[test]
fn the_passphrase_opens_its_slot_and_no_other_does() {
    let secrets = secrets();
    let passphrase = Passphrase::new("correct horse".into());
    let sealed = secrets.seal(&passphrase, WorkFactor::NONE).unwrap();
    let opened = SlotSecrets::open(&sealed, &passphrase).unwrap();
    assert_eq!(opened.vault, secrets.vault);
    assert_eq!(opened.master.expose(), secrets.master.expose());
    assert_eq!(opened.backup.recipient(), secrets.backup.recipient());
    let wrong = Passphrase::new("correct house".into());
    assert!(matches!(
        SlotSecrets::open(&sealed, &wrong),
        Err(CryptoError::WrongKey)
    ));
}

#[test]
fn a_passphrase_that_was_never_normalised_opens_as_typed() {
    let secrets = secrets();
    let typed = "mu\u{308}de Pferde";
    let mut recipient = scrypt::Recipient::new(secret_string(typed));
    recipient.set_work_factor(1);
    let mut sealed = Vec::new();
    age_file::seal(&recipient, secrets.to_text().as_bytes(), &mut sealed).unwrap();
    assert!(SlotSecrets::open(&sealed, &Passphrase::new(typed.into())).is_ok());
    let composed = Passphrase::new("m\u{fc}de Pferde".into());
    assert!(SlotSecrets::open(&sealed, &composed).is_err());
}

#[test]
fn a_slot_that_is_cut_off_anywhere_shows_it_without_a_key() {
    let passphrase = Passphrase::new("correct horse".into());
    for former in 0..3 {
        let secrets = SlotSecrets {
            former: (0..former).map(|_| BackupIdentity::generate()).collect(),
            ..secrets()
        };
        let sealed = secrets.seal(&passphrase, WorkFactor::NONE).unwrap();
        assert!(SlotSecrets::look(&sealed).is_ok(), "the control");
        for length in sealed.len() - 74..sealed.len() {
            assert!(SlotSecrets::look(&sealed[..length]).is_err(), "{length}");
        }
        assert!(SlotSecrets::look(&sealed[..200]).is_err());
        let [mut broken, longer] = [sealed.clone(), [&sealed[..], b"\n"].concat()];
        broken[3] ^= 1;
        assert!(SlotSecrets::look(&broken).is_err());
        assert!(SlotSecrets::look(&longer).is_err());
    }
    assert!(SlotSecrets::look(b"").is_err());
}

#[test]
fn a_slot_that_asks_for_too_much_work_is_refused_without_doing_it() {
    let passphrase = Passphrase::new("correct horse".into());
    let sealed = secrets().seal(&passphrase, WorkFactor::NONE).unwrap();
    let end = sealed.windows(3).position(|w| w == b" 1\n").unwrap();
    let mut greedy = sealed[..end].to_vec();
    greedy.extend(b" 40\n");
    greedy.extend(&sealed[end + 3..]);
    assert!(matches!(
        SlotSecrets::open(&greedy, &passphrase),
        Err(CryptoError::TooMuchWork {
            log_n: 40,
            most: 20
        })
    ));
}

#[test]
fn every_changed_byte_of_a_slot_is_noticed() {
    let passphrase = Passphrase::new("correct horse".into());
    let sealed = secrets().seal(&passphrase, WorkFactor::NONE).unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 2;
        assert!(
            SlotSecrets::open(&changed, &passphrase).is_err(),
            "byte {at}"
        );
    }
}
