//! What of a vault is not what it should be, as far as that shows without a key: who only
//! records would not notice that no key opens what he seals.

use std::path::PathBuf;

use super::closed::Vault;
use super::error::{Error, NO_FILE_HINT, NO_STORE_HINT, NOT_A_FILE};
use super::ground::disk::{self, Access};
use super::ground::lock::{GATE_FILE, LOCK_FILE};
use super::keys::keyslots::{self, Name};
use super::keys::reserve;
use super::sealed::scan::AGE_MAGIC;
use super::store::replace::aside_number;
use super::{REPAIR_HINT, inbox, store};

/// A file or folder of a vault that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
    /// What can be done.
    pub remedy: &'static str,
}

/// Why a vault without ways in is of no use.
const NO_WAY_IN: &str = "no way in that can be read is there: no key opens what is recorded now";

impl Vault {
    /// What is not as it should be; what matters most comes first.
    #[must_use]
    pub fn unfit(&self) -> Vec<Unfit> {
        let mut unfit: Vec<Unfit> = self.no_way_in().into_iter().collect();
        unfit.extend(self.no_store());
        if let Err(Error::Io { path, source, .. }) = inbox::names(self.disk(), self.dir()) {
            unfit.push(Unfit {
                path,
                why: source.to_string(),
                remedy: "put the folder itself there, or take away what has its name",
            });
        }
        for name in [LOCK_FILE, GATE_FILE, reserve::FILE] {
            unfit.extend(self.no_file(name, NO_FILE_HINT));
        }
        unfit.extend(self.kept_stores());
        unfit
    }

    /// What there is to say where no way in is there that can be read. What this user may
    /// not read is another matter.
    #[must_use]
    pub fn no_way_in(&self) -> Option<Unfit> {
        let path = self.dir().join(keyslots::DIR);
        let names = match self.disk().list(&path) {
            Ok(names) => names,
            Err(error) if disk::is_refused(&error) => return None,
            Err(_) => Vec::new(),
        };
        let mut slots = names.iter().filter(|name| Name::parse(name).is_some());
        let may_open = |name: &String| {
            let read = disk::read_at_most(self.disk(), &path.join(name), keyslots::MOST_BYTES);
            match read {
                Ok(bytes) => bytes.starts_with(AGE_MAGIC),
                Err(error) => disk::is_refused(&error),
            }
        };
        let is_any = slots.any(may_open);
        (!is_any).then(|| Unfit {
            path,
            why: NO_WAY_IN.to_owned(),
            remedy: "put keys/ back from a copy, before more is recorded; a backup has copies of \
                     the ways in",
        })
    }

    fn no_store(&self) -> Option<Unfit> {
        let path = self.dir().join(store::FILE);
        match self.disk().exists(&path) {
            Ok(false) => Some(Unfit {
                path,
                why: "it is missing".to_owned(),
                remedy: REPAIR_HINT,
            }),
            _ => self.no_file(store::FILE, NO_STORE_HINT),
        }
    }

    /// Stores that a repair kept, for its owner to look after.
    fn kept_stores(&self) -> impl Iterator<Item = Unfit> {
        let names = self.disk().list(self.dir()).unwrap_or_default();
        let kept = names
            .into_iter()
            .filter(|name| aside_number(name).is_some());
        kept.map(|name| Unfit {
            path: self.dir().join(name),
            why: "a repair kept it: the disk did not give all of it, or the keys do not know all \
                  that is in it"
                .to_owned(),
            remedy: "`voxvault verify --repair` takes in what is missing and can be read by now; \
                     remove it to give that up",
        })
    }

    /// A name that something else than a file has.
    fn no_file(&self, name: &str, remedy: &'static str) -> Option<Unfit> {
        let path = self.dir().join(name);
        let error = self.disk().open(&path, Access::Read).err()?;
        let why = error.to_string();
        why.starts_with(NOT_A_FILE)
            .then_some(Unfit { path, why, remedy })
    }
}
