//! Destroys a whole vault, without a key: the panic button.

use std::path::PathBuf;

use super::{Context, Progress, Unit};
use crate::error::{Exit, Failure};
use crate::vault::{self, NotErased, Receipt};

/// The vault that would be destroyed, so that a person can be asked for its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where it lies, with links resolved.
    pub dir: PathBuf,
    /// The name of that directory, which has to be typed.
    pub name: String,
}

/// What would be destroyed.
///
/// # Errors
/// When nothing of a vault is there, or its directory may not be looked into.
pub fn target(context: &Context) -> Result<Target, Failure> {
    let dir = &context.paths.vault;
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.clone());
    vault::require(&dir)?;
    let name = dir.file_name().unwrap_or(dir.as_os_str());
    Ok(Target {
        name: name.to_string_lossy().into_owned(),
        dir,
    })
}

/// Destroys it and says what remains. No signal ends it half-way.
///
/// # Errors
/// When nothing of a vault is there. What could not be destroyed is in the receipt:
/// see [`failure`].
pub fn run(
    context: &Context,
    target: &Target,
    progress: &dyn Progress,
) -> Result<Receipt, Failure> {
    context.lock();
    progress.begin("destroying", None, Unit::Bytes);
    let mut begun = false;
    let wiped = vault::wipe(&context.site(&target.dir), &mut |done, all| {
        if !begun {
            progress.begin("destroying", Some(all), Unit::Bytes);
            begun = true;
        }
        progress.advance(done);
    });
    progress.end();
    let mut receipt = wiped?;
    receipt.not_erased.extend(remains(context));
    Ok(receipt)
}

/// The failure to end with, if not everything could be destroyed.
#[must_use]
pub fn failure(target: &Target, receipt: &Receipt) -> Option<Failure> {
    let why = receipt.not_final.as_ref()?;
    let hint = match receipt.untold_root() {
        Some(path) => format!("if {path} is a copy of this vault's root, overwrite it: shred -u"),
        None => "once it can be written, run it again: it goes on where it stopped".to_owned(),
    };
    Some(
        Failure::new(Exit::Failed, "not everything is destroyed", why.clone())
            .about(target.dir.display())
            .hint(hint),
    )
}

/// What is not the vault's, or can't be known without its key.
fn remains(context: &Context) -> Vec<NotErased> {
    let line = |what: &str, where_: String, why: &str| NotErased {
        what: what.to_owned(),
        where_,
        why: why.to_owned(),
    };
    let paths = &context.paths;
    let mut lines = vec![
        line(
            "backups of the vault",
            "wherever they were made".into(),
            "which there are stood in the bag, and reading it would have needed the key",
        ),
        line(
            "exported files, and what was copied or shown",
            "wherever they are".into(),
            "they are in the clear and no part of the vault",
        ),
        line(
            "what a voxvault that is open holds in memory",
            "this machine".into(),
            "it is wiped when that voxvault locks or ends",
        ),
    ];
    if paths.models.exists() {
        let why = "speech models say nothing of what was recorded";
        lines.push(line(
            "speech models",
            paths.models.display().to_string(),
            why,
        ));
    }
    if paths.config_file.exists() {
        let why = "settings say nothing of what was recorded";
        lines.push(line(
            "settings",
            paths.config_file.display().to_string(),
            why,
        ));
    }
    lines
}
