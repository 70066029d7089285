//! What works on this machine and what does not. Works while locked, asks nobody for
//! anything, and changes nothing but what opening a vault always mends.
//!
//! Here the facts are gathered; what they mean is decided in `machine` and
//! `ground`, from facts alone.

mod ground;
mod machine;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::clock::Over;
use super::{Context, Progress, Unit};
use crate::audio;
use crate::hardening;
use crate::speech::Models;
use crate::system::{mounts, process, swap};
use crate::vault::Vault;
use crate::vault::disk::{Disk, RealDisk};
use crate::vault::medium::Medium;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name; scripts rely on it.
    pub name: &'static str,
    /// Nothing has to be done.
    pub ok: bool,
    /// What was found.
    pub found: String,
    /// What to do, where something can be done.
    pub hint: Option<String>,
}

impl Check {
    fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            ok: true,
            found: found.into(),
            hint: None,
        }
    }

    fn bad(name: &'static str, found: impl Into<String>, hint: &str) -> Self {
        Self {
            name,
            ok: false,
            found: found.into(),
            hint: Some(hint.to_owned()),
        }
    }
}

/// Looks at everything, in the order in which it matters to who wants to record.
#[must_use]
pub fn run(context: &Context, progress: &dyn Progress) -> Vec<Check> {
    let process = process::of_this_process();
    let mut checks = vec![
        machine::microphone(audio::microphones().map_err(|error| error.to_string())),
        model(context, progress),
        machine::swap(swap::of_this_machine().as_deref()),
        machine::hibernation(swap::can_hibernate_here()),
        machine::core_files(hardening::closed_memory()),
        machine::tracer(process),
        machine::network(process),
    ];
    checks.extend(vault(context));
    checks.push(machine::clock(doubted_clock(context)));
    checks.push(machine::terminal(&terminal()));
    checks
}

/// What is wrong with the clock, as far as that is known; with the vault open that is more.
fn doubted_clock(context: &Context) -> Option<String> {
    let now = context.now();
    let settings = context.already_open().and_then(|open| open.settings().ok());
    if let Some(settings) = settings {
        let seen = settings.dated(now);
        return (seen != now).then(|| format!("it says {now}, and the vault has seen {seen}"));
    }
    Over::of(context.vault().ok().as_ref(), now.offset_s).doubt(now)
}

fn model(context: &Context, progress: &dyn Progress) -> Check {
    let models = Models::at(&context.paths.models);
    let mut begun = false;
    let verdicts = models.verify(&mut |done, total| {
        if !std::mem::replace(&mut begun, true) {
            progress.begin("checking the models", Some(total), Unit::Bytes);
        }
        progress.advance(done);
    });
    progress.end();
    let verdicts = verdicts.map(|verdicts| {
        let one = |(model, found): (crate::speech::Model, Option<_>)| machine::ModelFound {
            name: model.name,
            in_use: model.in_use,
            damage: found.map(|error: crate::speech::Error| error.to_string()),
        };
        verdicts.into_iter().map(one).collect()
    });
    machine::model(verdicts.map_err(|error| error.to_string()))
}

/// What there is to say about the vault and what it lies on.
fn vault(context: &Context) -> Vec<Check> {
    let dir = &context.paths.vault;
    let opened = context.vault();
    let mended = opened.as_ref().map_or(0, |vault| vault.notices().len());
    let unfit = opened.as_ref().map_or_else(|_| Vec::new(), Vault::unfit);
    let mut checks = vec![ground::vault(dir, opened.as_ref().err(), mended, &unfit)];
    // Where a vault would be made counts if there is none yet.
    let Some(place) = dir.ancestors().find(|above| above.is_dir()) else {
        return checks;
    };
    checks.push(ground::overwriting(&Medium::of(place)));
    if let Some(mount) = mounts::of_this_directory(place) {
        checks.push(ground::discard(&mount));
    }
    checks.push(ground::space(RealDisk.space(place).ok()));
    if opened.is_ok() {
        checks.push(ground::permissions(&open_to_others(dir)));
    }
    checks
}

/// The vault's directory and what lies in it, as far as others have rights there or
/// it belongs to somebody else.
fn open_to_others(dir: &Path) -> Vec<String> {
    let user = rustix::process::geteuid().as_raw();
    let folders = [dir.to_owned(), dir.join("keys"), dir.join("inbox")];
    let inside = folders.iter().flat_map(|folder| {
        let entries = folder.read_dir().into_iter().flatten().flatten();
        entries.map(|entry| entry.path())
    });
    let mut found: Vec<String> = inside
        .chain([dir.to_owned()])
        .filter(|path| {
            path.symlink_metadata()
                .is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0 || meta.uid() != user)
        })
        .map(|path| path.display().to_string())
        .collect();
    found.sort();
    found
}

fn terminal() -> machine::Terminal {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let out = std::io::stdout();
    let size = rustix::termios::tcgetwinsize(&out).ok();
    machine::Terminal {
        size: size.map(|size| (size.ws_col, size.ws_row)),
        kind: variable("TERM"),
        colours: variable("COLORTERM"),
        no_colour: variable("NO_COLOR").is_some(),
        locale: ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| variable(name)),
        over_ssh: variable("SSH_CONNECTION").is_some(),
    }
}
