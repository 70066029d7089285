//! Rids a backup of what was shredded since it was made.

use std::path::PathBuf;
use std::sync::Arc;

use super::backup::{Watching, recipients};
use super::{Context, Progress, merge_quietly};
use crate::backup::write::{self, Order, Repacked};
use crate::crypto::Nobody;
use crate::crypto::asker::Asker;
use crate::error::{Exit, Failure};

/// What to repack, and to whom.
pub struct Args {
    /// The folder.
    pub dir: PathBuf,
    /// Others who can open what is written anew: `age1…`, `ssh-ed25519 …`.
    pub recipients: Vec<String>,
    /// Files that list such recipients, one a line.
    pub recipient_files: Vec<PathBuf>,
}

/// Repacks.
///
/// # Errors
/// When it is no folder, the vault can't be unlocked, there is no backup of it, or something in it can't
/// be read that the vault does not hold. Until all is written nothing goes.
pub fn run(context: &Context, args: &Args, progress: &dyn Progress) -> Result<Repacked, Failure> {
    if args.dir.exists() && !args.dir.is_dir() {
        let why = "only a folder can be repacked";
        return Err(Failure::new(Exit::Usage, "can't repack the backup", why)
            .about(args.dir.display())
            .hint("a stream is written anew: `voxvault backup -`"));
    }
    let recipients = recipients(&args.recipients, &args.recipient_files)?;
    let vault = context.unlocked()?;
    merge_quietly(&vault, progress)?;
    let now = || vault.now();
    let mut order = Order::at(&now);
    let asker: Arc<dyn Asker> = Arc::new(Nobody);
    for recipient in &recipients {
        order.add(recipient, &asker)?;
    }
    let done = write::repack(&vault, &args.dir, order, &Watching::new(progress));
    progress.end();
    Ok(done?)
}
