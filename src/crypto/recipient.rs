//! To whom something is sealed: the public half of an age identity, of an SSH key,
//! or of a key that an age plugin looks after.
//!
//! Every kind of age 0.12 is taken but RSA, whose code has a known weakness that is
//! not mended, and which age itself advises against.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use age::{plugin, ssh, tag, tagpq, x25519};

use super::CryptoError;
use super::asker::{Asker, Questions};

/// More than this is no recipient: the longest there are, with keys against quantum
/// computers, have about 2,000 characters.
const MOST_CHARACTERS: usize = 8 * 1024;

/// What opens what is sealed to a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipientKind {
    /// An age identity, `AGE-SECRET-KEY-1…`
    Age,
    /// An SSH key of type Ed25519.
    Ssh,
    /// A plugin of age: most often a piece of hardware.
    Plugin,
}

/// The public half of a key.
pub struct Recipient(Inner);

enum Inner {
    Age(x25519::Recipient),
    Ssh(ssh::Recipient),
    Tag(tag::Recipient),
    TagPq(Box<tagpq::Recipient>),
    Plugin(plugin::Recipient),
}

impl Recipient {
    /// What opens what is sealed to it.
    #[must_use]
    pub fn kind(&self) -> RecipientKind {
        match &self.0 {
            Inner::Age(_) => RecipientKind::Age,
            Inner::Ssh(_) => RecipientKind::Ssh,
            // Their private halves are made to stay in hardware, and are reached
            // through its plugin; sealing to them needs none.
            Inner::Tag(_) | Inner::TagPq(_) | Inner::Plugin(_) => RecipientKind::Plugin,
        }
    }

    /// Whether it withstands quantum computers by age's own promise. age seals
    /// nothing to such a recipient and to one that does not withstand them: the
    /// weaker one would decide.
    #[must_use]
    pub fn is_post_quantum(&self) -> bool {
        matches!(self.0, Inner::TagPq(_))
    }

    /// The plugin that is run to seal to it, if one is needed.
    #[must_use]
    pub fn plugin(&self) -> Option<&str> {
        match &self.0 {
            Inner::Plugin(recipient) => Some(recipient.plugin()),
            Inner::Age(_) | Inner::Ssh(_) | Inner::Tag(_) | Inner::TagPq(_) => None,
        }
    }

    /// The recipient as age takes it.
    ///
    /// # Errors
    /// [`CryptoError::PluginMissing`] if its plugin is not on the search path.
    pub fn to_age(
        &self,
        asker: &Arc<dyn Asker>,
    ) -> Result<Box<dyn age::Recipient + Send>, CryptoError> {
        Ok(match &self.0 {
            Inner::Age(recipient) => Box::new(recipient.clone()),
            Inner::Ssh(recipient) => Box::new(recipient.clone()),
            Inner::Tag(recipient) => Box::new(recipient.clone()),
            Inner::TagPq(recipient) => Box::new(tagpq::Recipient::clone(recipient)),
            Inner::Plugin(recipient) => {
                let (name, questions) = (recipient.plugin(), Questions(Arc::clone(asker)));
                let recipients = [recipient.clone()];
                let plugin = plugin::RecipientPluginV1::new(name, &recipients, &[], questions);
                Box::new(plugin.map_err(|_| CryptoError::PluginMissing {
                    name: name.to_owned(),
                })?)
            }
        })
    }
}

impl From<x25519::Recipient> for Recipient {
    fn from(recipient: x25519::Recipient) -> Self {
        Self(Inner::Age(recipient))
    }
}

/// As it is written: `age1…`, `ssh-ed25519 …` without the comment.
impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Age(recipient) => recipient.fmt(f),
            Inner::Ssh(recipient) => recipient.fmt(f),
            Inner::Tag(recipient) => recipient.fmt(f),
            Inner::TagPq(recipient) => recipient.fmt(f),
            Inner::Plugin(recipient) => recipient.fmt(f),
        }
    }
}

impl FromStr for Recipient {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        let text = text.trim();
        let lower = text.get(..16).unwrap_or(text).to_ascii_lowercase();
        if text.len() > MOST_CHARACTERS {
            return Err(CryptoError::BadRecipient("it is far too long for one"));
        }
        if lower.starts_with("age-secret-key-") || lower.starts_with("age-plugin-") {
            return Err(CryptoError::BadRecipient(
                "it is the private half, which is for nobody but its owner; age-keygen -y tells \
                 the public one",
            ));
        }
        if lower.starts_with("ssh-") || lower.starts_with("ecdsa-") || lower.starts_with("sk-") {
            return ssh_key(text);
        }
        if let Ok(recipient) = text.parse() {
            return Ok(Self(Inner::Age(recipient)));
        }
        // Before plugins, whose recipients are written in the same way.
        if let Ok(recipient) = text.parse() {
            return Ok(Self(Inner::TagPq(Box::new(recipient))));
        }
        if let Ok(recipient) = text.parse() {
            return Ok(Self(Inner::Tag(recipient)));
        }
        match text.parse::<plugin::Recipient>() {
            Ok(recipient) if !is_native(recipient.plugin()) => Ok(Self(Inner::Plugin(recipient))),
            _ => Err(CryptoError::BadRecipient(
                "it is neither age1… nor ssh-ed25519 …, or a character of it is wrong",
            )),
        }
    }
}

/// Whether age itself knows the kind, so that what does not parse as one is wrong.
fn is_native(plugin: &str) -> bool {
    matches!(plugin, "tag" | "tagpq")
}

fn ssh_key(text: &str) -> Result<Recipient, CryptoError> {
    if text.starts_with("ssh-rsa") {
        return Err(CryptoError::BadRecipient(
            "RSA keys are refused: the code for them has a known weakness \
             (RUSTSEC-2023-0071); use an Ed25519 key, or age-keygen",
        ));
    }
    match text.parse() {
        Ok(recipient @ ssh::Recipient::SshEd25519(..)) => Ok(Recipient(Inner::Ssh(recipient))),
        Ok(ssh::Recipient::SshRsa(..)) | Err(ssh::ParseRecipientKeyError::Unsupported(_)) => Err(
            CryptoError::BadRecipient("of SSH keys only those of type Ed25519 are taken"),
        ),
        Err(_) => Err(CryptoError::BadRecipient(
            "it is no whole SSH public key: it is one line, ssh-ed25519 and a long word",
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::super::asker::Nobody;
    use super::*;

    const SSH: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/\
                       XXUB+VHtZ6isGN";
    const TAG: &str = "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e";

    fn kind(text: &str) -> RecipientKind {
        text.parse::<Recipient>().ok().unwrap().kind()
    }

    #[test]
    fn every_kind_of_public_key_is_told_from_the_others_and_survives_the_way_through_text() {
        let age = x25519::Identity::generate().to_public().to_string();
        let plugin = "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t";
        for (text, wanted) in [
            (age.as_str(), RecipientKind::Age),
            (SSH, RecipientKind::Ssh),
            (TAG, RecipientKind::Plugin),
            (plugin, RecipientKind::Plugin),
        ] {
            let parsed: Recipient = text.parse().ok().unwrap();
            assert_eq!(parsed.kind(), wanted);
            assert_eq!(parsed.to_string(), text);
        }
        assert_eq!(
            kind(&format!("  {SSH} somebody@somewhere\n")),
            RecipientKind::Ssh
        );
    }

    #[test]
    fn what_is_no_recipient_is_refused_and_says_why() {
        let secret = x25519::Identity::generate();
        let secret = age::secrecy::ExposeSecret::expose_secret(&secret.to_string()).to_owned();
        for (text, why) in [
            ("", "neither"),
            ("age1abc", "neither"),
            (
                "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ",
                "RSA keys are refused",
            ),
            ("ssh-ed25519 AAAA", "no whole SSH public key"),
            (secret.as_str(), "the private half"),
            (&"age1".repeat(5000), "too long"),
            (&TAG.replace('4', "5"), "neither"),
            ("\u{1b}[31mage1\u{202e}", "neither"),
        ] {
            let error = text.parse::<Recipient>().err().unwrap();
            assert!(error.to_string().contains(why), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_hybrid_recipient_is_sealed_to_alone_and_age_refuses_a_weaker_one_beside_it() {
        // The one that age's own tests have.
        let hybrid: Recipient = include_str!("recipient/tagpq.txt").parse().ok().unwrap();
        assert_eq!(hybrid.kind(), RecipientKind::Plugin);
        assert!(hybrid.is_post_quantum() && hybrid.plugin().is_none());
        let weaker: Recipient = x25519::Identity::generate().to_public().into();
        assert!(!weaker.is_post_quantum());
        let nobody: Arc<dyn Asker> = Arc::new(Nobody);
        let seal = |to: &[&Recipient]| {
            let all: Vec<_> = to.iter().map(|one| one.to_age(&nobody).unwrap()).collect();
            let all = all.iter().map(|one| &**one as &dyn age::Recipient);
            age::Encryptor::with_recipients(all)
                .and_then(|encryptor| Ok(encryptor.wrap_output(Vec::new())?.finish()?))
        };
        assert!(
            seal(&[&hybrid])
                .unwrap()
                .starts_with(b"age-encryption.org/v1\n")
        );
        assert!(seal(&[&weaker]).is_ok());
        assert!(matches!(
            seal(&[&hybrid, &weaker]),
            Err(age::EncryptError::IncompatibleRecipients { .. })
        ));
    }

    #[test]
    fn a_plugin_that_is_not_there_is_named() {
        let plugin = "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t";
        let recipient: Recipient = plugin.parse().ok().unwrap();
        assert_eq!(recipient.plugin(), Some("yubikey"));
        let nobody: Arc<dyn Asker> = Arc::new(Nobody);
        // Where somebody has it, this machine can't show the refusal.
        if let Err(error) = recipient.to_age(&nobody) {
            assert!(matches!(error, CryptoError::PluginMissing { name } if name == "yubikey"));
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
            let _ = text.parse::<Recipient>();
        }
    }
}
