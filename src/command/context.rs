//! What every command is given: where things stand, the clock, and the one
//! unlocked vault that the commands of a process share.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Zoned;

use crate::config::{Config, Paths};
use crate::crypto::{Key, Passphrase};
use crate::error::{Exit, Failure};
use crate::recording::Moment;
use crate::retention::EARLIEST_MS;
use crate::time;
use crate::vault::site::{self, Site};
use crate::vault::{OpenVault, Vault};

/// Tells the time. Passed in, so that tests can say what time it is.
pub trait Clock: Send + Sync {
    /// Now, at this machine's offset from UTC.
    fn now(&self) -> Zoned;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Zoned {
        time::now()
    }
}

/// Finds the key when a command needs it: identities, a file, a command, a prompt.
pub trait KeySource: Send + Sync {
    /// The passphrase of the vault.
    ///
    /// # Errors
    /// When there is none to be had, with [`Exit::Locked`] or [`Exit::Usage`].
    fn passphrase(&self) -> Result<Passphrase, Failure>;

    /// Whatever opens the vault.
    ///
    /// # Errors
    /// As [`passphrase`](Self::passphrase).
    fn key(&self) -> Result<Key, Failure> {
        self.passphrase().map(Key::from)
    }

    /// A passphrase for a vault that is to be made, or for what the key does not open;
    /// `None` where none was given, and somebody has to be asked.
    ///
    /// # Errors
    /// When it was given and can't be had.
    fn new_passphrase(&self) -> Result<Option<Passphrase>, Failure> {
        self.is_unattended().then(|| self.passphrase()).transpose()
    }

    /// Whether asking costs nobody's attention: commands that work while
    /// locked unlock only then, and never prompt.
    fn is_unattended(&self) -> bool;
}

/// No key at all: commands that need one end with [`Exit::Locked`].
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKey;

impl KeySource for NoKey {
    fn passphrase(&self) -> Result<Passphrase, Failure> {
        Err(Failure::new(
            Exit::Locked,
            "can't unlock the vault",
            "no key was given",
        ))
    }

    fn is_unattended(&self) -> bool {
        false
    }
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colour {
    /// As the environment says.
    #[default]
    Auto,
    /// Also where the environment says no.
    Always,
    /// Not at all.
    Never,
}

/// What every command is given.
pub struct Context {
    /// Where things stand.
    pub paths: Paths,
    /// What the owner has set.
    pub config: Config,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// When to use colours.
    pub colour: Colour,
    keys: Box<dyn KeySource>,
    open: Mutex<Option<Arc<OpenVault>>>,
}

impl Context {
    /// A context that has not opened anything yet.
    #[must_use]
    pub fn new(
        paths: Paths,
        config: Config,
        clock: Arc<dyn Clock>,
        keys: Box<dyn KeySource>,
    ) -> Self {
        Self {
            paths,
            config,
            clock,
            colour: Colour::default(),
            keys,
            open: Mutex::new(None),
        }
    }

    /// The same, with colours as its owner wants them.
    #[must_use]
    pub fn with_colour(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    /// The moment it is.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment::from_zoned(&self.clock.now())
    }

    /// The clock as something that threads can take with them.
    #[must_use]
    pub fn moments(&self) -> Box<dyn Fn() -> Moment + Send> {
        let clock = Arc::clone(&self.clock);
        Box::new(move || Moment::from_zoned(&clock.now()))
    }

    /// A vault's place, with the generations seen remembered for this user.
    #[must_use]
    pub fn site(&self, dir: &Path) -> Site {
        let clock = Arc::clone(&self.clock);
        Site::new(dir, Some(self.paths.state.clone())).with_clock(
            site::Clock::new(move || Moment::from_zoned(&clock.now())).not_before(EARLIEST_MS),
        )
    }

    /// The vault without a key: enough to record.
    ///
    /// # Errors
    /// When there is no vault, or none of its roots can be read.
    pub fn vault(&self) -> Result<Vault, Failure> {
        Ok(Vault::open_at(self.site(&self.paths.vault))?)
    }

    /// The vault, unlocked; asks for the key the first time.
    ///
    /// # Errors
    /// As [`Context::vault`], and when the key is missing or wrong.
    pub fn unlocked(&self) -> Result<Arc<OpenVault>, Failure> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(vault) = open.as_ref() {
            return Ok(Arc::clone(vault));
        }
        let vault = self.vault()?;
        let unlocked = Arc::new(vault.unlock(&self.keys.key()?)?);
        *open = Some(Arc::clone(&unlocked));
        Ok(unlocked)
    }

    /// The vault, unlocked anew, and the key that did it: for who has to seal with
    /// it again.
    ///
    /// # Errors
    /// As [`Context::unlocked`].
    pub fn unlocked_keeping(&self) -> Result<(Arc<OpenVault>, Key), Failure> {
        let vault = self.vault()?;
        let key = self.keys.key()?;
        let unlocked = Arc::new(vault.unlock(&key)?);
        self.remember(Arc::clone(&unlocked));
        Ok((unlocked, key))
    }

    /// The vault, if it is open.
    #[must_use]
    pub fn already_open(&self) -> Option<Arc<OpenVault>> {
        let open = self.open.lock();
        open.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Unlocks with this passphrase, which the interface has asked for.
    ///
    /// # Errors
    /// As [`Context::unlocked`].
    pub fn unlock_with(&self, passphrase: &Passphrase) -> Result<Arc<OpenVault>, Failure> {
        let unlocked = Arc::new(self.vault()?.unlock(passphrase)?);
        self.remember(Arc::clone(&unlocked));
        Ok(unlocked)
    }

    /// The key; asks for it, if need be. For what is no vault here: a way in that lies
    /// beside a backup.
    ///
    /// # Errors
    /// When there is none to be had.
    pub fn key(&self) -> Result<Key, Failure> {
        self.keys.key()
    }

    /// The passphrase, where it was given without asking anybody.
    ///
    /// # Errors
    /// When it was given and can't be had.
    pub fn given_passphrase(&self) -> Result<Option<Passphrase>, Failure> {
        self.keys
            .is_unattended()
            .then(|| self.keys.passphrase())
            .transpose()
    }

    /// The passphrase for what the key does not open, where one was given.
    ///
    /// # Errors
    /// When it was given and can't be had.
    pub fn passphrase_beside(&self) -> Result<Option<Passphrase>, Failure> {
        self.keys.new_passphrase()
    }

    /// The same for a vault that is to be made.
    ///
    /// # Errors
    /// When it was given and can't be had.
    pub fn new_passphrase(&self) -> Result<Option<Passphrase>, Failure> {
        self.passphrase_beside().map_err(Failure::of_new_key)
    }

    /// Takes a vault that was just made, which is open.
    pub fn remember(&self, vault: Arc<OpenVault>) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(vault);
    }

    /// The vault if it is open, or can be opened without bothering anybody.
    ///
    /// # Errors
    /// When a key was given and does not open it.
    pub fn unlocked_quietly(&self) -> Result<Option<Arc<OpenVault>>, Failure> {
        match self.already_open() {
            Some(vault) => Ok(Some(vault)),
            None if self.keys.is_unattended() => self.unlocked().map(Some),
            None => Ok(None),
        }
    }

    /// Forgets the keys. They are wiped when the last command that uses them
    /// has ended.
    pub fn lock(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
