//! What a list in a data download says about a sound file.

use jiff::Timestamp;

/// What is known about one sound file from somewhere else than itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The file as the list names it: a path below the list's folder, or a name.
    pub file: String,
    /// What was said in it.
    pub said: Option<String>,
    /// What the list calls it.
    pub title: Option<String>,
    /// When it was recorded.
    pub at: Option<Timestamp>,
    /// The device that heard it.
    pub device: Option<String>,
}

/// The last part of a path, whichever way its parts are set apart.
#[must_use]
pub fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// Whether a file is named like sound.
#[must_use]
pub fn is_named_like_sound(name: &str) -> bool {
    /// `amr` and `3gp` are tried, and refused with a reason if they can't be decoded.
    const ENDINGS: [&str; 22] = [
        "wav", "wave", "flac", "mp3", "m4a", "m4b", "mp4", "aac", "ogg", "oga", "opus", "webm",
        "mka", "mkv", "aif", "aiff", "aifc", "amr", "3gp", "3gpp", "wma", "caf",
    ];
    base_name(name)
        .rsplit_once('.')
        .is_some_and(|(stem, ending)| {
            !stem.is_empty()
                && ENDINGS
                    .iter()
                    .any(|known| ending.eq_ignore_ascii_case(known))
        })
}
