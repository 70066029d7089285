//! The backups: looking at them, writing one, reading one, and how that ends.

use crate::tui::engine::{Archive, Archived, Archiving, BackupShape, Chosen, Request};
use crate::tui::model::backups::Backups;
use crate::tui::model::line::Line;
use crate::tui::model::{Answered, Model, Note, Overlay, Screen, Weight};
use crate::tui::msg::Effect;
use crate::tui::view::words;

/// Goes to the screen.
pub(super) fn open(model: &mut Model, effects: &mut Vec<Effect>) {
    model.screen = Screen::Backups;
    model.backups = Backups::default();
    effects.push(Effect::Ask(Request::Backups));
}

/// The recordings or the backups are others now: while they are looked at, they are
/// counted again.
pub(super) fn look_again(model: &Model, effects: &mut Vec<Effect>) {
    if model.screen == Screen::Backups {
        effects.push(Effect::Ask(Request::Backups));
    }
}

/// Asks for the folder of a new backup.
pub(super) fn ask_where(model: &mut Model) {
    if is_free(model) {
        model.overlay = Some(Overlay::Folder(Line::default()));
    }
}

/// Asks whether to back up to the selected folder again. It destroys nothing, so yes is
/// chosen already.
pub(super) fn ask_whether(model: &mut Model) {
    if is_free(model)
        && let Some(folder) = selected(model, "backup")
    {
        model.overlay = Some(Overlay::BackUp {
            folder,
            answer: Answered::Yes,
        });
    }
}

/// Has the selected one read.
pub(super) fn verify(model: &mut Model, effects: &mut Vec<Effect>) {
    if is_free(model)
        && let Some(folder) = selected(model, "backup verify")
    {
        model.archiving = Some(begun(Archive::Verify, &folder));
        effects.push(Effect::Ask(Request::VerifyBackup(folder)));
    }
}

/// Begins to write.
pub(super) fn begin(model: &mut Model, folder: String, chosen: Chosen, effects: &mut Vec<Effect>) {
    model.archiving = Some(begun(Archive::BackUp, &folder));
    effects.push(Effect::Ask(Request::BackUp { folder, chosen }));
}

/// Calls off what is done.
pub(super) fn stop(model: &mut Model, effects: &mut Vec<Effect>) {
    match model.archiving {
        Some(_) => {
            effects.push(Effect::Ask(Request::StopBackup));
            model.say("stopping …");
        }
        None => model.say("no backup is being written or read"),
    }
}

fn begun(work: Archive, folder: &str) -> Archiving {
    Archiving {
        work,
        folder: folder.to_owned(),
        done_bytes: 0,
        of_bytes: 0,
    }
}

/// Whether there is nothing under way; says so otherwise.
fn is_free(model: &mut Model) -> bool {
    let work = model.archiving.as_ref().map(|archiving| archiving.work);
    match work {
        None => return true,
        Some(Archive::BackUp) => model.say("a backup is being written; one at a time"),
        Some(Archive::Verify) => model.say("a backup is being read; one at a time"),
    }
    false
}

/// The folder under the cursor; says why there is none.
fn selected(model: &mut Model, command: &str) -> Option<String> {
    let entry = model.backups.current();
    match entry.map(|entry| (entry.shape, entry.path.clone())) {
        None => {
            let key = model
                .settings
                .keymap
                .key_for(crate::tui::keymap::Action::BackUpTo);
            model.say(format!("there is no backup yet; {key} makes one"));
            None
        }
        Some((BackupShape::Stream, _)) => {
            model.say(format!(
                "streams went elsewhere; `voxvault {command}` is for the shell there"
            ));
            None
        }
        Some((_, path)) => Some(path),
    }
}

/// Tells what came of it.
pub(super) fn ended(model: &mut Model, archived: Archived, effects: &mut Vec<Effect>) {
    model.archiving = None;
    if matches!(model.overlay, Some(Overlay::Quit(_))) && !model.is_recording() {
        model.overlay = None;
    }
    look_again(model, effects);
    match archived {
        Archived::BackedUp {
            folder,
            recordings,
            holds,
            damage,
        } => backed_up(model, &folder, recordings, holds, damage),
        Archived::Verified {
            folder,
            recordings,
            damage: 0,
        } => {
            let count = usize::try_from(recordings).unwrap_or(usize::MAX);
            let count = words::several(count, "recording", "recordings");
            model.say(format!("sound: {count} can be brought back · {folder}"));
        }
        Archived::Verified { folder, damage, .. } => warn(
            model,
            format!("{damage} damaged · `voxvault backup verify` names them · {folder}"),
        ),
        Archived::Stopped(Archive::BackUp) => {
            model.say("the backup was stopped; the next one goes on behind what is whole");
        }
        Archived::Stopped(Archive::Verify) => model.say("stopped; nothing was changed"),
        Archived::Failed(failure) => model.complain(&failure),
    }
}

fn backed_up(
    model: &mut Model,
    folder: &str,
    recordings: usize,
    holds: usize,
    mut damage: Vec<String>,
) {
    let held = words::several(holds, "recording", "recordings");
    let line = match recordings {
        0 => format!("nothing new: it holds {held} · {folder}"),
        new => format!(
            "backed up: {} new or changed, it holds {held} · {folder}",
            words::count(new)
        ),
    };
    let Some(first) = damage.first() else {
        return model.say(line);
    };
    if model.overlay.is_some() {
        // Whoever types is not interrupted.
        let more = match damage.len() {
            1 => String::new(),
            all => format!(", and {} more", all - 1),
        };
        return warn(model, format!("backed up, but not whole: {first}{more}"));
    }
    let begin = "Backed up, but for what could not be read:".to_owned();
    damage.splice(0..0, [begin, String::new()]);
    damage.extend([String::new(), line]);
    model.overlay = Some(Overlay::Receipt(damage, 0));
}

fn warn(model: &mut Model, text: String) {
    model.note = Some(Note {
        text,
        weight: Weight::Heavy,
    });
}
