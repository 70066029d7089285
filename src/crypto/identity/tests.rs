#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use std::sync::Mutex;

use super::super::age_file;
use super::super::asker::Nobody;
use super::*;

/// A key of ssh-keygen's without a passphrase, made for this test.
const SSH_PLAIN: &str = include_str!("ssh_ed25519");
/// One under the passphrase `a few words`.
const SSH_LOCKED: &str = include_str!("ssh_ed25519_locked");
/// One of the wrong kind.
const SSH_RSA: &str = include_str!("ssh_rsa");
const SSH_ECDSA: &str = include_str!("ssh_ecdsa");

/// Answers every question for a secret in the same way, and counts them.
#[derive(Default)]
struct Says {
    answer: Option<&'static str>,
    asked: Mutex<Vec<String>>,
}

impl Asker for Says {
    fn tell(&self, _: &str) {}
    fn ask(&self, _: &str) -> Option<String> {
        None
    }
    fn ask_secret(&self, what: &str) -> Option<Zeroizing<String>> {
        self.asked.lock().unwrap().push(what.to_owned());
        self.answer.map(|answer| Zeroizing::new(answer.to_owned()))
    }
    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        None
    }
}

fn nobody() -> Arc<dyn Asker> {
    Arc::new(Nobody)
}

fn sealed_to(recipient: &Recipient) -> Vec<u8> {
    let mut sealed = Vec::new();
    age_file::seal(
        &*recipient.to_age(&nobody()).unwrap(),
        b"a slot",
        &mut sealed,
    )
    .unwrap();
    sealed
}

fn public_of(private: &str) -> Recipient {
    let key = age::ssh::Identity::from_buffer(private.as_bytes(), None).unwrap();
    let public = age::ssh::Recipient::try_from(key).ok().unwrap();
    public.to_string().parse().ok().unwrap()
}

fn refusal(bytes: &[u8]) -> String {
    let read = Identities::read(bytes, "key", &nobody());
    read.err().unwrap().to_string()
}

#[test]
fn an_identity_file_opens_what_is_sealed_to_any_of_its_lines() {
    let (one, two) = (x25519::Identity::generate(), x25519::Identity::generate());
    let text = |identity: &x25519::Identity| {
        age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned()
    };
    let file = format!(
        "# made by age-keygen\n{}\r\n\n  {}\n",
        text(&one),
        text(&two)
    );
    let identities = Identities::read(file.as_bytes(), "key", &nobody())
        .ok()
        .unwrap();
    for identity in [&one, &two] {
        let sealed = sealed_to(&identity.to_public().into());
        assert_eq!(**identities.open(&sealed).ok().unwrap(), *b"a slot");
    }
    let other = sealed_to(&x25519::Identity::generate().to_public().into());
    assert!(matches!(
        identities.open(&other),
        Err(CryptoError::WrongKey)
    ));
}

#[test]
fn a_recovery_key_opens_as_it_was_written_down() {
    let key = RecoveryKey::generate();
    let sealed = sealed_to(&key.recipient());
    let written = format!("# recovery key\n{}\n", key.to_groups().as_str());
    let identities = Identities::read(written.as_bytes(), "paper", &nobody());
    assert!(identities.ok().unwrap().open(&sealed).is_ok());
}

#[test]
fn an_ssh_key_opens_what_is_sealed_to_it_and_its_passphrase_is_asked_for_once() {
    let identities = Identities::read(SSH_PLAIN.as_bytes(), "key", &nobody());
    let sealed = sealed_to(&public_of(SSH_PLAIN));
    assert!(identities.ok().unwrap().open(&sealed).is_ok());

    let says = Arc::new(Says {
        answer: Some("a few words"),
        ..Says::default()
    });
    let asker: Arc<dyn Asker> = Arc::clone(&says) as _;
    let locked = Identities::read(SSH_LOCKED.as_bytes(), "my key", &asker);
    let locked = locked.ok().unwrap();
    // What is sealed to somebody else is no reason to ask.
    assert!(matches!(locked.open(&sealed), Err(CryptoError::WrongKey)));
    assert!(says.asked.lock().unwrap().is_empty());
    let sealed = sealed_to(&public_of(SSH_LOCKED));
    assert!(locked.open(&sealed).is_ok() && locked.open(&sealed).is_ok());
    assert_eq!(*says.asked.lock().unwrap(), ["passphrase of my key: "]);
}

#[test]
fn a_wrong_passphrase_of_an_ssh_key_and_one_that_nobody_gives_are_told() {
    let sealed = sealed_to(&public_of(SSH_LOCKED));
    let asker: Arc<dyn Asker> = Arc::new(Says {
        answer: Some("wrong words"),
        ..Says::default()
    });
    let wrong = Identities::read(SSH_LOCKED.as_bytes(), "key", &asker);
    let error = wrong.ok().unwrap().open(&sealed).err().unwrap();
    assert!(matches!(error, CryptoError::WrongPassphraseOf { .. }));
    let unasked = Identities::read(SSH_LOCKED.as_bytes(), "key", &nobody());
    let error = unasked.ok().unwrap().open(&sealed).err().unwrap();
    assert!(matches!(error, CryptoError::Unasked { .. }));
}

#[test]
fn an_identity_file_under_a_passphrase_is_opened_with_it() {
    let key = RecoveryKey::generate();
    let mut recipient = scrypt::Recipient::new("a few words".to_owned().into());
    recipient.set_work_factor(1);
    let mut file = Vec::new();
    age_file::seal(&recipient, key.to_identity().as_bytes(), &mut file).unwrap();
    let says = |answer| -> Arc<dyn Asker> {
        Arc::new(Says {
            answer,
            ..Says::default()
        })
    };
    let read = Identities::read(&file, "key.age", &says(Some("a few words")));
    assert!(
        read.ok()
            .unwrap()
            .open(&sealed_to(&key.recipient()))
            .is_ok()
    );
    let wrong = Identities::read(&file, "key.age", &says(Some("other words")));
    assert!(matches!(
        wrong.err().unwrap(),
        CryptoError::WrongPassphraseOf { .. }
    ));
    let unasked = Identities::read(&file, "key.age", &says(None));
    assert!(matches!(
        unasked.err().unwrap(),
        CryptoError::Unasked { .. }
    ));
}

#[test]
fn keys_of_other_kinds_are_refused_with_the_reason_and_nothing_of_them_is_repeated() {
    assert!(refusal(SSH_RSA.as_bytes()).contains("RSA keys are refused"));
    assert!(refusal(b"-----BEGIN RSA PRIVATE KEY-----\n").contains("RSA keys are refused"));
    assert!(refusal(SSH_ECDSA.as_bytes()).contains("only those of type Ed25519"));
    assert!(refusal(b"AGE-SECRET-KEY-PQ-1ABC\n").contains("post-quantum"));
    let public = public_of(SSH_PLAIN).to_string();
    assert!(refusal(public.as_bytes()).contains("public half"));
    assert!(refusal(b"").contains("no identity in it"));
    assert!(refusal(b"# nothing\n").contains("no identity in it"));
    assert!(refusal(b"\xff\xfe\x00").contains("not text"));
    assert!(refusal(&b"a".repeat(MOST_BYTES + 1)).contains("longer than"));
    assert!(refusal(b"-----BEGIN AGE ENCRYPTED FILE-----\n").contains("armoured"));
    let hostile = refusal(b"# fine\n\x1b[2Jsecret\xe2\x80\xae words\n");
    assert_eq!(hostile, "line 2 is no identity and no private key");
}

#[test]
fn every_cut_of_a_private_key_is_refused() {
    for key in [SSH_PLAIN, SSH_LOCKED] {
        // Without its last line break, or a part of its last line, it is whole.
        let whole = key.trim_end().len() - "-----END OPENSSH PRIVATE KEY-----".len();
        for at in 0..whole {
            let cut = &key.as_bytes()[..at];
            assert!(Identities::read(cut, "key", &nobody()).is_err(), "{at}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        for start in [&b""[..], AGE_FILE, b"-----BEGIN OPENSSH PRIVATE KEY-----\n"] {
            let bytes = [start, &bytes].concat();
            let _ = Identities::read(&bytes, "key", &nobody());
        }
    }
}
