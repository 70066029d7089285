//! Speech models: takes them in, lists, checks, chooses and removes them.

use std::path::PathBuf;

use super::{Context, Progress, Unit};
use crate::error::Failure;
use crate::speech::{Model, Models};

/// What to do.
#[derive(Debug, Clone)]
pub enum Args {
    /// List what is there.
    List,
    /// Read every model and compare it with its hash.
    Verify,
    /// Take this one from now on.
    Use(String),
    /// Delete it.
    Remove(String),
    /// Take in files, folders or wheels that together are one model.
    Import {
        /// What to read.
        paths: Vec<PathBuf>,
        /// What to call it; derived from its size unless given.
        name: Option<String>,
    },
}

/// Does it and answers with the models that were concerned.
///
/// # Errors
/// When there is no such model, or what is given is damaged or of a kind that
/// can't be used.
pub fn run(context: &Context, args: &Args, progress: &dyn Progress) -> Result<Vec<Model>, Failure> {
    let models = Models::at(&context.paths.models);
    match args {
        Args::List => Ok(models.list()?),
        Args::Verify => {
            let mut begun = false;
            let verdicts = models.verify(&mut |done, total| {
                if !std::mem::replace(&mut begun, true) {
                    progress.begin("checking", Some(total), Unit::Bytes);
                }
                progress.advance(done);
            });
            progress.end();
            let (models, found): (Vec<_>, Vec<_>) = verdicts?.into_iter().unzip();
            match found.into_iter().flatten().next() {
                Some(damage) => Err(damage.into()),
                None => Ok(models),
            }
        }
        Args::Use(name) => Ok(vec![models.choose(name)?]),
        Args::Remove(name) => Ok(vec![models.remove(name)?]),
        Args::Import { paths, name } => {
            let mut begun = false;
            let imported = models.import(paths, name.as_deref(), &mut |done, total| {
                if !std::mem::replace(&mut begun, true) {
                    progress.begin("reading the model", Some(total), Unit::Bytes);
                }
                progress.advance(done);
            });
            progress.end();
            Ok(vec![imported?])
        }
    }
}
