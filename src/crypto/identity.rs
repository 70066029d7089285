//! The private halves that open what is sealed to a recipient: age identity files,
//! also those under a passphrase, SSH private keys of type Ed25519, and identities
//! that a plugin looks after.
//!
//! A file is read whole before any of it is used, and is at most 64 KiB. Nothing
//! of it is ever repeated in a message. A passphrase is asked for only where
//! the key is one that opens what lies there.

mod ssh_key;

use std::sync::Arc;

use age::{plugin, scrypt, x25519};
use zeroize::Zeroizing;

use self::ssh_key::SshKey;
use super::CryptoError;
use super::age_file::{AgeFile, MOST_LOG_N};
use super::asker::{Asker, Questions};
use super::recipient::{Recipient, RecipientKind};
use super::recovery::{RecoveryKey, Typed};

/// The most that an identity file may have.
pub const MOST_BYTES: usize = 64 * 1024;

const AGE_FILE: &[u8] = b"age-encryption.org/v1\n";

/// Keys to try, in the order in which they were given.
#[derive(Default)]
pub struct Identities(Vec<Inner>);

enum Inner {
    Age(x25519::Identity),
    Ssh(Box<SshKey>),
    Plugin {
        identity: plugin::Identity,
        asker: Arc<dyn Asker>,
    },
}

impl Identities {
    /// Reads a file's content; `name` is the file's, for questions about it.
    ///
    /// # Errors
    /// [`CryptoError::BadIdentity`] and the like if it holds something else than
    /// identities, or a passphrase can't be had or is wrong.
    pub fn read(bytes: &[u8], name: &str, asker: &Arc<dyn Asker>) -> Result<Self, CryptoError> {
        let mut read = Self::default();
        read.add(bytes, name, asker)?;
        Ok(read)
    }

    /// Reads one more file.
    ///
    /// # Errors
    /// As [`Identities::read`].
    pub fn add(
        &mut self,
        bytes: &[u8],
        name: &str,
        asker: &Arc<dyn Asker>,
    ) -> Result<(), CryptoError> {
        if bytes.len() > MOST_BYTES {
            return Err(CryptoError::BadIdentity("it is longer than 64 KiB"));
        }
        if bytes.starts_with(AGE_FILE) {
            let opened = open_encrypted(bytes, name, asker)?;
            return self.add_text(&opened, asker);
        }
        let starts = |start: &[u8]| bytes.starts_with(start);
        if starts(b"-----BEGIN AGE ENCRYPTED FILE-----") {
            return Err(CryptoError::BadIdentity(
                "it is an armoured age file; age -d opens it to an identity file",
            ));
        }
        if starts(b"-----BEGIN ") {
            self.0
                .push(Inner::Ssh(Box::new(SshKey::read(bytes, name, asker)?)));
            return Ok(());
        }
        self.add_text(bytes, asker)
    }

    fn add_text(&mut self, bytes: &[u8], asker: &Arc<dyn Asker>) -> Result<(), CryptoError> {
        const NOT_TEXT: CryptoError = CryptoError::BadIdentity("it is not text");
        let text = std::str::from_utf8(bytes).map_err(|_| NOT_TEXT)?;
        let before = self.0.len();
        // A recovery key in its written form may stand on several lines.
        if let Typed::Key(key) = RecoveryKey::read(text) {
            self.0.push(Inner::Age(key.into_age()));
            return Ok(());
        }
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            self.0.push(entry(line, at + 1, asker)?);
        }
        match self.0.len() > before {
            true => Ok(()),
            false => Err(CryptoError::BadIdentity("there is no identity in it")),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether using them may have to ask somebody for something.
    #[must_use]
    pub fn may_ask(&self) -> bool {
        self.0.iter().any(|inner| match inner {
            Inner::Age(_) => false,
            Inner::Ssh(key) => key.is_under_a_passphrase(),
            Inner::Plugin { .. } => true,
        })
    }

    /// The identities as age takes them, those that ask nobody first.
    ///
    /// # Errors
    /// [`CryptoError::PluginMissing`] if a plugin is not on the search path.
    pub fn to_age(&self) -> Result<Vec<Box<dyn age::Identity + '_>>, CryptoError> {
        let (mut all, mut plugins) = (self.quiet(), Vec::new());
        for inner in &self.0 {
            if let Inner::Plugin { identity, asker } = inner {
                plugins.push(run_plugin(identity, asker)?);
            }
        }
        all.append(&mut plugins);
        Ok(all)
    }

    fn quiet(&self) -> Vec<Box<dyn age::Identity + '_>> {
        let quiet = self.0.iter().filter_map(|inner| match inner {
            Inner::Age(identity) => Some(Box::new(identity.clone()) as Box<dyn age::Identity>),
            Inner::Ssh(key) => Some(Box::new(&**key)),
            Inner::Plugin { .. } => None,
        });
        quiet.collect()
    }

    /// Opens a small age file whole with whichever of them fits.
    ///
    /// # Errors
    /// [`CryptoError::WrongKey`] if none fits; what hindered one that might have
    /// fitted is told instead.
    pub(super) fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let file = AgeFile::new(sealed)?;
        let mut hindered = CryptoError::WrongKey;
        for identity in self.quiet() {
            match file.open(&*identity) {
                Err(CryptoError::WrongKey) => {}
                Err(other) => hindered = other,
                opened => return opened,
            }
        }
        // What only age's own kinds open is no reason to ask for the hardware.
        let in_vain = |hindered| Err(self.hindrance().unwrap_or(hindered));
        if !is_for_plugins(file.header()) {
            return in_vain(hindered);
        }
        for inner in &self.0 {
            let Inner::Plugin { identity, asker } = inner else {
                continue;
            };
            match run_plugin(identity, asker).and_then(|plugin| file.open(&*plugin)) {
                Err(CryptoError::WrongKey) => {}
                Err(other) => hindered = other,
                opened => return opened,
            }
        }
        in_vain(hindered)
    }

    /// Why an SSH key could not be used, if it was one that fits what was tried: nobody
    /// gave its passphrase, or a wrong one.
    #[must_use]
    pub fn hindrance(&self) -> Option<CryptoError> {
        self.0.iter().find_map(|inner| match inner {
            Inner::Ssh(key) => key.hindrance(),
            Inner::Age(_) | Inner::Plugin { .. } => None,
        })
    }
}

impl From<RecoveryKey> for Identities {
    fn from(key: RecoveryKey) -> Self {
        Self(vec![Inner::Age(key.into_age())])
    }
}

fn entry(line: &str, number: usize, asker: &Arc<dyn Asker>) -> Result<Inner, CryptoError> {
    if let Ok(identity) = line.parse() {
        return Ok(Inner::Age(identity));
    }
    if let Ok(identity) = line.parse() {
        return Ok(Inner::Plugin {
            identity,
            asker: Arc::clone(asker),
        });
    }
    if line.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-PQ-") {
        return Err(CryptoError::BadIdentity(
            "it is for age's post-quantum recipients, which this version can only seal to",
        ));
    }
    if line.parse::<Recipient>().is_ok() {
        return Err(CryptoError::BadIdentity(
            "it holds the public half, which opens nothing",
        ));
    }
    Err(CryptoError::NoIdentity { line: number })
}

fn run_plugin(
    identity: &plugin::Identity,
    asker: &Arc<dyn Asker>,
) -> Result<Box<dyn age::Identity>, CryptoError> {
    let (name, questions) = (identity.plugin(), Questions(Arc::clone(asker)));
    let missing = |_| CryptoError::PluginMissing {
        name: name.to_owned(),
    };
    let all = [identity.clone()];
    let plugin = plugin::IdentityPluginV1::new(name, &all, questions).map_err(missing)?;
    Ok(Box::new(plugin))
}

/// Whether a header has a stanza that is of none of the kinds that age itself opens.
fn is_for_plugins(header: &[u8]) -> bool {
    const OWN: [&[u8]; 4] = [b"X25519", b"scrypt", b"ssh-ed25519", b"ssh-rsa"];
    let lines = header.split(|byte| *byte == b'\n');
    let kinds = lines.filter_map(|line| {
        let rest = line.strip_prefix(b"-> ")?;
        rest.split(|byte| *byte == b' ').next()
    });
    let mut kinds = kinds.filter(|kind| !kind.ends_with(b"-grease"));
    kinds.any(|kind| !OWN.contains(&kind))
}

/// Opens an identity file that `age -p` sealed, such as a slot of a vault.
fn open_encrypted(
    sealed: &[u8],
    name: &str,
    asker: &Arc<dyn Asker>,
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let file = AgeFile::new(sealed).map_err(|error| match error {
        CryptoError::Damaged(why) => CryptoError::BadIdentity(why),
        other => other,
    })?;
    if !sealed[AGE_FILE.len()..].starts_with(b"-> scrypt ") {
        return Err(CryptoError::BadIdentity(
            "it is sealed, and not with a passphrase; age -d opens it to an identity file",
        ));
    }
    let unasked = CryptoError::Unasked {
        of: name.to_owned(),
    };
    let passphrase = asker
        .ask_secret(&format!("passphrase of {name}: "))
        .ok_or(unasked)?;
    let mut identity = scrypt::Identity::new(passphrase.as_str().to_owned().into());
    identity.set_max_work_factor(MOST_LOG_N);
    file.open(&identity).map_err(|error| match error {
        CryptoError::WrongKey => CryptoError::WrongPassphraseOf {
            of: name.to_owned(),
        },
        other => other,
    })
}

impl RecipientKind {
    /// What a person who holds the private half gives to `--identity`.
    #[must_use]
    pub fn opened_by(self) -> &'static str {
        match self {
            Self::Age => "the file with AGE-SECRET-KEY-1… in it",
            Self::Ssh => "the SSH private key",
            Self::Plugin => "the file with AGE-PLUGIN-… in it",
        }
    }
}

#[cfg(test)]
mod tests;
