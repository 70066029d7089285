//! `models.toml`: what is noted about each imported model, and which is in use.
//!
//! Only what stands here is a model; a file that happens to lie in the folder
//! is not. The file is always replaced as a whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Error;

const FILE: &str = "models.toml";
const VERSION: u32 = 1;

/// The list of models, in the order in which they were imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalogue {
    version: u32,
    /// The name of the model in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) in_use: Option<String>,
    /// All of them.
    #[serde(default, rename = "model")]
    pub(super) models: Vec<Entry>,
}

/// What is noted about a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Its name, and that of its file without `.bin`.
    pub(super) name: String,
    /// Size of the file.
    pub(super) bytes: u64,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub(super) sha256: String,
    /// Whether it understands more than English.
    pub(super) multilingual: bool,
}

impl Default for Catalogue {
    fn default() -> Self {
        Self {
            version: VERSION,
            in_use: None,
            models: Vec::new(),
        }
    }
}

impl Catalogue {
    /// Reads the folder's catalogue; there is none before the first import.
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Error::io("read", &path)(error)),
        };
        let wrong = |why: String| Error::Catalogue {
            path: path.clone(),
            why,
        };
        let catalogue: Self =
            toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))?;
        if catalogue.version != VERSION {
            return Err(wrong(format!("it has version {}", catalogue.version)));
        }
        // The names become paths.
        match catalogue.models.iter().find(|entry| !is_name(&entry.name)) {
            Some(entry) => Err(wrong(format!("{:?} can't be a model's name", entry.name))),
            None => Ok(catalogue),
        }
    }

    /// Replaces the folder's catalogue; durable when it returns.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(FILE);
        let text = toml::to_string(self).map_err(|error| Error::Catalogue {
            path: path.clone(),
            why: error.to_string(),
        })?;
        let partial = folder.join(format!("{FILE}.partial"));
        let written = File::create(&partial).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(Error::io("write", &partial))?;
        fs::rename(&partial, &path).map_err(Error::io("write", &path))?;
        sync_folder(folder)
    }

    /// The entry of a model.
    pub(super) fn find(&self, name: &str) -> Option<&Entry> {
        self.models.iter().find(|entry| entry.name == name)
    }

    /// The name of the model in use: the chosen one, else the first imported.
    pub(super) fn in_use(&self) -> Option<&str> {
        let chosen = self
            .in_use
            .as_deref()
            .filter(|name| self.find(name).is_some());
        chosen.or_else(|| self.models.first().map(|entry| entry.name.as_str()))
    }
}

/// Makes renames and removals in the folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(Error::io("write", folder))
}

/// Up to 64 letters, digits, dots, dashes and underscores, the first of them a
/// letter or digit: safe as a file name everywhere.
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}
