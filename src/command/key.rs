//! The ways into the vault: what they are, one more, one less, and a new master key
//! for those that stay.
//!
//! Passphrases that are needed are asked of whoever calls; files for recovery keys
//! are made here, before the vault knows of the key in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Context, Progress, Unit};
use crate::crypto::{
    Asker, Key, Passphrase, Recipient, RecipientKind, RecoveryKey, WayKey, WorkFactor,
};
use crate::error::{Exit, Failure};
use crate::recording::Moment;
use crate::vault::bag::{Way, WayKind};
use crate::vault::{self, NewWay, OpenVault, Rekeying};

/// A way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// `passphrase`, `age`, `ssh`, `plugin` or `recovery`.
    pub kind: &'static str,
    /// When it was added, or got its passphrase; `None` where that was not noted.
    pub made_at: Option<Moment>,
    /// The public half it is sealed to.
    pub recipient: Option<String>,
}

/// What is to open the vault as well.
pub enum Addition {
    /// A passphrase.
    Passphrase(Passphrase),
    /// Whoever has the private half.
    Recipient(Recipient),
    /// A recovery key, which its owner has by now.
    Recovery(RecoveryKey),
}

/// What becomes of the ways in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dropping {
    /// Those that are none any more, by their names.
    pub names: Vec<String>,
}

/// Who is asked for what can't be found out.
pub struct Answers<'a> {
    /// Gives the passphrase of a way in; `None` where nobody can be asked.
    pub passphrase_of: &'a dyn Fn(&str) -> Option<Result<Passphrase, Failure>>,
    /// Whom plugins ask.
    pub asker: Arc<dyn Asker>,
}

/// The vault, open, and the key that opened it: to seal with it anew.
pub struct Unlocked {
    vault: Arc<OpenVault>,
    key: Key,
}

/// Opens the vault, for the ways in to be changed.
///
/// # Errors
/// When the vault can't be unlocked.
pub fn unlock(context: &Context) -> Result<Unlocked, Failure> {
    let (vault, key) = context.unlocked_keeping()?;
    Ok(Unlocked { vault, key })
}

/// The ways in, by name.
///
/// # Errors
/// When the vault can't be unlocked.
pub fn list(context: &Context) -> Result<Vec<Listed>, Failure> {
    let ways = context.unlocked()?.ways()?;
    let offset_s = context.now().offset_s;
    let listed = |(name, way): (String, Way)| Listed {
        name,
        kind: word(way.kind),
        made_at: (way.made_at_ms != 0).then_some(Moment {
            unix_ms: way.made_at_ms,
            offset_s,
        }),
        recipient: way.recipient,
    };
    Ok(ways.into_iter().map(listed).collect())
}

fn word(kind: WayKind) -> &'static str {
    match kind {
        WayKind::Passphrase => "passphrase",
        WayKind::Age => "age",
        WayKind::Ssh => "ssh",
        WayKind::Plugin => "plugin",
        WayKind::Recovery => "recovery",
    }
}

/// Adds a way in; what it was called.
///
/// # Errors
/// When the vault can't be unlocked, the name is taken, the passphrase is too short,
/// or a plugin is missing; then nothing is changed.
pub fn add(
    context: &Context,
    name: Option<String>,
    addition: &Addition,
    asker: &Arc<dyn Asker>,
    progress: &dyn Progress,
) -> Result<Listed, Failure> {
    let recovery;
    let (kind, key) = match addition {
        Addition::Passphrase(passphrase) => {
            passphrase.check_length()?;
            let key = WayKey::Passphrase(passphrase, WorkFactor::STANDARD);
            (WayKind::Passphrase, key)
        }
        Addition::Recipient(recipient) => {
            let kind = match recipient.kind() {
                RecipientKind::Age => WayKind::Age,
                RecipientKind::Ssh => WayKind::Ssh,
                RecipientKind::Plugin => WayKind::Plugin,
            };
            (kind, WayKey::Recipient(recipient, asker))
        }
        Addition::Recovery(key) => {
            recovery = key.recipient();
            (WayKind::Recovery, WayKey::Recipient(&recovery, asker))
        }
    };
    let vault = context.unlocked()?;
    let name = match name {
        Some(name) => name,
        None => free_name(&vault, word(kind))?,
    };
    progress.begin("sealing the key", None, Unit::Items);
    let added = vault.add_way(&NewWay {
        name: &name,
        kind,
        key,
        now_ms: vault.now().unix_ms,
    });
    progress.end();
    added?;
    let mut listed = list(context)?;
    listed.retain(|one| one.name == name);
    listed
        .pop()
        .ok_or_else(|| vault::Error::NoWay { name }.into())
}

/// The word, or the word with the first number that no way in has.
fn free_name(vault: &OpenVault, word: &str) -> Result<String, Failure> {
    let ways = vault.ways()?;
    if !ways.contains_key(word) {
        return Ok(word.to_owned());
    }
    let numbered = (2..).map(|number: u64| format!("{word}-{number}"));
    let mut free = numbered.filter(|name| !ways.contains_key(name));
    Ok(free.next().unwrap_or_default())
}

/// Whether these can be dropped and something is left.
///
/// # Errors
/// When one is not there, or none would be left.
pub fn check(context: &Context, dropping: &Dropping) -> Result<(), Failure> {
    let ways = context.unlocked()?.ways()?;
    for name in &dropping.names {
        if !ways.contains_key(name) {
            return Err(vault::Error::NoWay { name: name.clone() }.into());
        }
    }
    match dropping.names.last() {
        Some(last) if ways.keys().all(|name| dropping.names.contains(name)) => {
            Err(vault::Error::LastWay { name: last.clone() }.into())
        }
        _ => Ok(()),
    }
}

/// Makes a new master key for all ways in but those that are dropped. From then on
/// what was dropped opens nothing in the directory.
///
/// # Errors
/// When the vault can't be unlocked, a passphrase is missing or wrong, or the last
/// way in would go; then nothing is changed.
pub fn rekey(
    context: &Context,
    Unlocked { vault, key }: &Unlocked,
    dropping: &Dropping,
    answers: &Answers<'_>,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    check(context, dropping)?;
    let dropped: BTreeSet<String> = dropping.names.iter().cloned().collect();
    let known = passphrases(vault, key, &dropped, answers, progress)?;
    replace(vault, &dropped, known, None, answers, progress)
}

/// Gives the vault another passphrase, and a new master key with it. Other ways in
/// stay, but for those that are dropped.
///
/// # Errors
/// As [`rekey`], and when the new passphrase is too short.
pub fn change_passphrase(
    context: &Context,
    Unlocked { vault, key }: &Unlocked,
    new: &Passphrase,
    dropping: &Dropping,
    answers: &Answers<'_>,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    new.check_length()?;
    let changed = vault.passphrase_way().map_err(|error| match error {
        vault::Error::NoWay { .. } => {
            let why = "no passphrase opens this vault";
            Failure::new(Exit::NotFound, "can't change the passphrase", why)
                .hint("voxvault key add")
        }
        other => other.into(),
    })?;
    let mut spared: BTreeSet<String> = dropping.names.iter().cloned().collect();
    if spared.contains(&changed) {
        let why = "it is the one that is to be changed";
        return Err(Failure::new(Exit::Usage, "can't drop the way in", why).about(changed));
    }
    check(context, dropping)?;
    let dropped = spared.clone();
    spared.insert(changed.clone());
    let known = passphrases(vault, key, &spared, answers, progress)?;
    let renewed = Some((changed, new));
    replace(vault, &dropped, known, renewed, answers, progress)
}

/// A passphrase that opens a way in: the one that opened the vault, or another.
enum Known<'a> {
    Own(&'a Passphrase),
    Told(Passphrase),
}

/// The passphrases of all ways in that are under one, but for those in `spared`.
/// Each was tried.
fn passphrases<'a>(
    vault: &OpenVault,
    key: &'a Key,
    spared: &BTreeSet<String>,
    answers: &Answers<'_>,
    progress: &dyn Progress,
) -> Result<BTreeMap<String, Known<'a>>, Failure> {
    let own = vault.own_way()?;
    let mut known = BTreeMap::new();
    for (name, way) in vault.ways()? {
        if way.kind != WayKind::Passphrase || spared.contains(&name) {
            continue;
        }
        if let Key::Passphrase(passphrase) = key
            && (own == name || vault.way_opens(&name, passphrase)?)
        {
            known.insert(name, Known::Own(passphrase));
            continue;
        }
        let needed = || Failure::from(vault::Error::NeedsPassphrase { name: name.clone() });
        let told = (answers.passphrase_of)(&name).ok_or_else(needed)??;
        progress.begin("trying the passphrase", None, Unit::Items);
        let opens = vault.way_opens(&name, &told);
        progress.end();
        if !opens? {
            let why = "it does not open this way in";
            return Err(Failure::new(Exit::Locked, "the passphrase is wrong", why).about(name));
        }
        known.insert(name, Known::Told(told));
    }
    Ok(known)
}

fn replace(
    vault: &OpenVault,
    dropped: &BTreeSet<String>,
    known: BTreeMap<String, Known<'_>>,
    renewed: Option<(String, &Passphrase)>,
    answers: &Answers<'_>,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let mut passphrases: BTreeMap<String, &Passphrase> = known
        .iter()
        .map(|(name, one)| match one {
            Known::Own(passphrase) => (name.clone(), *passphrase),
            Known::Told(passphrase) => (name.clone(), passphrase),
        })
        .collect();
    let mut names = BTreeSet::new();
    if let Some((name, passphrase)) = renewed {
        passphrases.insert(name.clone(), passphrase);
        names.insert(name);
    }
    progress.begin("making a new master key", None, Unit::Items);
    let done = vault.rekey(&Rekeying {
        passphrases,
        renewed: names,
        dropped: dropped.clone(),
        asker: Arc::clone(&answers.asker),
        now_ms: vault.now().unix_ms,
        ..Rekeying::default()
    });
    progress.end();
    Ok(done?)
}

/// Whether a recovery key can be written there.
///
/// # Errors
/// When it is `-`, which elsewhere is standard output.
pub fn check_recovery_path(path: &Path) -> Result<(), Failure> {
    if path != Path::new("-") {
        return Ok(());
    }
    let why = "`-` would show it to whatever reads the output";
    Err(
        Failure::new(Exit::Usage, "can't write the recovery key", why)
            .hint("`voxvault key add --recovery` shows it on the terminal"),
    )
}

/// A file with a recovery key, which is there before the vault knows of the key.
pub struct RecoveryFile(PathBuf);

impl RecoveryFile {
    /// Writes it, durably, for its owner alone. No file is ever overwritten.
    ///
    /// # Errors
    /// When there is a file, it can't be written, or it would lie in the vault, whose
    /// lock it opens.
    pub fn write(context: &Context, path: &Path, key: &RecoveryKey) -> Result<Self, Failure> {
        check_recovery_path(path)?;
        let failed = |why: String| {
            Failure::new(Exit::Failed, "can't write the recovery key", why).about(path.display())
        };
        let parent = match path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        };
        let parent = fs::canonicalize(parent).map_err(|error| failed(error.to_string()))?;
        let vault = &context.paths.vault;
        let vault = fs::canonicalize(vault).unwrap_or_else(|_| vault.clone());
        if parent.starts_with(&vault) {
            let why = "it would lie in the vault, beside what it opens";
            return Err(
                Failure::new(Exit::Usage, "can't write the recovery key", why)
                    .about(path.display()),
            );
        }
        let text = text(context, key);
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        let mut file = made.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => failed("there is a file already".to_owned()),
            _ => failed(error.to_string()),
        })?;
        let file_written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| File::open(&parent)?.sync_all());
        let written = Self(path.to_owned());
        match file_written {
            Ok(()) => Ok(written),
            Err(error) => {
                written.take_back();
                Err(failed(error.to_string()))
            }
        }
    }

    /// Removes it again, because the vault did not take the key.
    pub fn take_back(self) {
        // It opens nothing, so it may stay where it can't be removed.
        let _ = fs::remove_file(self.0);
    }
}

/// What stands in the file: an age identity file, and the key as it is written down.
fn text(context: &Context, key: &RecoveryKey) -> zeroize::Zeroizing<String> {
    let vault = context.paths.vault.file_name().unwrap_or_default();
    let vault = crate::error::plain(&vault.to_string_lossy());
    let date = context.clock.now().strftime("%Y-%m-%d").to_string();
    let (groups, identity) = (key.to_groups(), key.to_identity());
    let lines = [
        format!("# Recovery key of the voxvault vault {vault:?}, made {date}."),
        "# Whoever has it opens the vault and every backup. Keep it away from both.".to_owned(),
        "# Typed where the passphrase is asked for; hyphens, blanks and lower case".to_owned(),
        "# don't matter:".to_owned(),
        "#".to_owned(),
    ];
    let mut text = zeroize::Zeroizing::new(String::with_capacity(1024));
    for line in &lines {
        text.extend([line, "\n"]);
    }
    text.extend(["#   ", groups.as_str(), "\n#\n"]);
    text.push_str("# The same for --identity, --passphrase-file and age -d -i:\n");
    text.extend([identity.as_str(), "\n"]);
    text
}
