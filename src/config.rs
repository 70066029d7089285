//! Where things stand on this machine, and what its owner has set.
//!
//! Reads the environment and one TOML file. Nothing in here is secret: a
//! passphrase is never a setting and never an environment value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use serde::Deserialize;

use crate::error::{Exit, Failure};

/// The directories and files that the program uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The vault, as chosen by `--vault`, `VOXVAULT_DIR` or the default.
    pub vault: PathBuf,
    /// Speech models; no secret.
    pub models: PathBuf,
    /// Where the last generation seen of each vault is remembered.
    pub state: PathBuf,
    /// The settings.
    pub config_file: PathBuf,
}

impl Paths {
    /// The paths of this user; `vault` wins over the environment.
    ///
    /// # Errors
    /// When the user has no home directory.
    pub fn of_this_user(vault: Option<PathBuf>) -> Result<Self, Failure> {
        let base = etcetera::choose_base_strategy().map_err(|_| {
            Failure::new(
                Exit::Failed,
                "can't find the home directory",
                "HOME is not set",
            )
            .hint("set HOME, or name the vault with --vault DIR")
        })?;
        let data = base.data_dir().join("voxvault");
        let state = base
            .state_dir()
            .unwrap_or_else(|| base.data_dir())
            .join("voxvault");
        Ok(Self {
            vault: vault
                .or_else(|| from_environment("VOXVAULT_DIR"))
                .unwrap_or_else(|| data.join("vault")),
            models: from_environment("VOXVAULT_MODELS").unwrap_or_else(|| data.join("models")),
            state,
            config_file: base.config_dir().join("voxvault").join("config.toml"),
        })
    }
}

fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// The settings of `config.toml`. Every one has a default; unknown ones are
/// refused, so that a typing error is not silently without effect.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The microphone to use; the system's default otherwise.
    pub device: Option<String>,
    /// The spoken language as an ISO 639-1 code, or `auto`.
    pub language: String,
    /// After how long without a key pressed the interface locks itself, such
    /// as `10m`; `never` keeps it open.
    pub lock_after: String,
    /// Keys of the interface: action name to the keys that trigger it.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            device: None,
            language: "auto".to_owned(),
            lock_after: "10m".to_owned(),
            keys: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Reads the settings; a file that is not there means the defaults.
    ///
    /// # Errors
    /// When the file can't be read or holds something unknown.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let failed = |why: String| {
            Failure::new(Exit::Usage, "can't use the settings", why).about(path.display())
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(failed(error.to_string())),
        };
        let config: Self = toml::from_str(&text).map_err(|error| {
            let line = error
                .span()
                .map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let place = line.map_or_else(String::new, |line| format!("line {line}: "));
            failed(format!("{place}{}", error.message()))
                .hint("known settings: device, language, lock_after, [keys]")
        })?;
        config
            .lock_after()
            .map_err(|why| failed(format!("lock_after: {why}")))?;
        Ok(config)
    }

    /// After how long the interface locks itself; `None` for never.
    ///
    /// # Errors
    /// When the setting is not a duration.
    pub fn lock_after(&self) -> Result<Option<Duration>, String> {
        if self.lock_after == "never" {
            return Ok(None);
        }
        self.lock_after
            .parse::<jiff::SignedDuration>()
            .ok()
            .and_then(|span| Duration::try_from(span).ok())
            .filter(|span| !span.is_zero())
            .map(Some)
            .ok_or_else(|| format!("{:?} is not a duration such as 10m", self.lock_after))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn read(text: &str) -> Result<Config, Failure> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path)
    }

    #[test]
    fn a_missing_file_means_the_defaults() {
        let config = Config::read(Path::new("/nonexistent/config.toml")).unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(config.lock_after().unwrap(), Some(Duration::from_secs(600)));
    }

    #[test]
    fn an_unknown_setting_is_refused_with_its_line() {
        let failure = read("language = \"de\"\nlangauge = \"en\"\n").unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.why.starts_with("line 2"), "{}", failure.why);
    }

    #[test]
    fn durations_are_checked_when_the_file_is_read() {
        assert!(read("lock_after = \"soon\"").is_err());
        assert_eq!(
            read("lock_after = \"never\"")
                .unwrap()
                .lock_after()
                .unwrap(),
            None
        );
        let config = read("lock_after = \"1h30m\"").unwrap();
        assert_eq!(
            config.lock_after().unwrap(),
            Some(Duration::from_secs(5400))
        );
    }
}
