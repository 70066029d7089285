//! Speech models: takes them in, lists, checks, chooses and removes them.

use std::path::PathBuf;

use super::{Context, Progress, Unit};
use crate::error::Failure;
use crate::speech::{ModelInfo, Models};

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
pub fn run(
    context: &Context,
    args: &Args,
    progress: &dyn Progress,
) -> Result<Vec<ModelInfo>, Failure> {
    let models = Models::at(&context.paths.models);
    match args {
        Args::List => Ok(models.list()?),
        Args::Verify => {
            let known = models.list()?;
            for (position, model) in known.iter().enumerate() {
                progress.begin(&format!("checking {}", model.name), Some(known.len() as u64), Unit::Items);
                let checked = models.verify(&model.name);
                progress.advance(position as u64 + 1);
                progress.end();
                checked?;
            }
            Ok(known)
        }
        Args::Use(name) => Ok(vec![models.choose(name)?]),
        Args::Remove(name) => Ok(vec![models.remove(name)?]),
        Args::Import { paths, name } => {
            progress.begin("reading the model", None, Unit::Bytes);
            let imported =
                models.import(paths, name.as_deref(), &mut |done| progress.advance(done));
            progress.end();
            Ok(vec![imported?])
        }
    }
}
