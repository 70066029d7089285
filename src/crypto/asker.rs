//! Whom a key asks while it is used: for the passphrase of an SSH key, for a touch
//! of the hardware, for whatever else a plugin wants to know.

use std::sync::Arc;

use age::Callbacks;
use age::secrecy::SecretString;
use zeroize::Zeroizing;

/// Somebody who can be asked, or nobody. Texts come from files and plugins: whoever
/// shows them takes control characters out first.
pub trait Asker: Send + Sync {
    /// Says something, such as "touch the key".
    fn tell(&self, message: &str);

    /// Asks for something that may be seen; `None` where nobody answers.
    fn ask(&self, what: &str) -> Option<String>;

    /// Asks for something that nobody may see; `None` where nobody answers.
    fn ask_secret(&self, what: &str) -> Option<Zeroizing<String>>;

    /// Asks to choose between two answers; `None` where nobody answers.
    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool>;
}

/// Nobody answers: what has to ask fails.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Asker for Nobody {
    fn tell(&self, _: &str) {}

    fn ask(&self, _: &str) -> Option<String> {
        None
    }

    fn ask_secret(&self, _: &str) -> Option<Zeroizing<String>> {
        None
    }

    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        None
    }
}

/// An asker as age wants it.
#[derive(Clone)]
pub(super) struct Questions(pub Arc<dyn Asker>);

impl Callbacks for Questions {
    fn display_message(&self, message: &str) {
        self.0.tell(message);
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        self.0.confirm(message, yes, no)
    }

    fn request_public_string(&self, what: &str) -> Option<String> {
        self.0.ask(what)
    }

    fn request_passphrase(&self, what: &str) -> Option<SecretString> {
        let answer = self.0.ask_secret(what)?;
        Some(answer.as_str().to_owned().into())
    }
}
