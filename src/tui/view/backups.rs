//! The backups, what each of them holds, and first of all which recordings are in none.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_width::UnicodeWidthChar;

use super::dialog::answers;
use super::paint::{Pane, columns};
use super::{input, words};
use crate::error::plain;
use crate::tui::engine::{Archive, Archiving, BackupEntry, BackupShape};
use crate::tui::keymap::Action;
use crate::tui::layout::Form;
use crate::tui::model::line::Line;
use crate::tui::model::reading::wrap;
use crate::tui::model::{Answered, Model};
use crate::tui::theme::Theme;

/// Where the columns of a wide screen begin: when, and where.
const WHEN: u16 = 1;
const WHERE: u16 = 14;

/// Columns that the number of segments and what is held take on a wide screen, and the
/// latter on a narrow one.
const SEGMENTS: u16 = 10;
const HOLDS: u16 = 30;
const HOLDS_NARROW: u16 = 19;

/// Rows above the first backup, and below the last, where what is said of the one under
/// the cursor stands.
struct Frame {
    above: u16,
    below: u16,
}

impl Frame {
    fn of(form: Form, height: u16) -> Self {
        match (form, height) {
            (Form::Wide, _) => Self { above: 3, below: 5 },
            (_, 6..) => Self { above: 1, below: 3 },
            (_, 4..) => Self { above: 1, below: 1 },
            _ => Self { above: 1, below: 0 },
        }
    }
}

/// How many backups are in sight.
pub(in crate::tui) fn rows(model: &Model) -> usize {
    let height = model.areas().dialog().height;
    let frame = Frame::of(model.form(), height);
    usize::from(height.saturating_sub(frame.above + frame.below).max(1))
}

pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    let theme = &model.settings.theme;
    let mut pane = Pane::new(buffer, model.areas().dialog());
    let (text, is_wrong) = summary(model);
    let style = if is_wrong { theme.danger } else { theme.strong };
    pane.put(1, 0, &text, style);
    let entries = model.backups.entries();
    if entries.is_empty() {
        if model.backups.read.is_some() {
            how(model, &mut pane);
        }
        return;
    }
    let is_wide = model.form() == Form::Wide;
    let frame = Frame::of(model.form(), pane.area.height);
    if is_wide {
        let (segments, holds) = right_columns(&pane);
        for (x, name) in [
            (WHEN, "written"),
            (WHERE, "where"),
            (segments, "segments"),
            (holds, "holds"),
        ] {
            pane.put(x, 2, name, theme.faint);
        }
    }
    let scroll = model.backups.scroll;
    let shown = entries.iter().enumerate().skip(scroll.top);
    for (y, (at, entry)) in (frame.above..).zip(shown.take(rows(model))) {
        let here = at == scroll.cursor;
        if here {
            pane.put(0, y, "▌", theme.accent);
        }
        match is_wide {
            true => wide(theme, &mut pane, y, entry, here),
            false => narrow(theme, &mut pane, y, entry, here),
        }
    }
    if let Some(entry) = model.backups.current() {
        let below = frame.below.saturating_sub(u16::from(is_wide));
        let area = Rect {
            y: pane.area.bottom().saturating_sub(below),
            height: below.min(pane.area.height),
            ..pane.area
        };
        details(model, &mut pane.part(area), entry);
    }
}

/// What an owner wants to know first, and whether it should be changed.
pub(super) fn summary(model: &Model) -> (String, bool) {
    let Some(found) = &model.backups.read else {
        return ("looking …".to_owned(), false);
    };
    match (found.in_none, found.entries.is_empty()) {
        (0, true) => ("no backup yet".to_owned(), false),
        (0, false) if found.recordings == 0 => ("there is no recording".to_owned(), false),
        (0, false) => ("every recording is in a backup".to_owned(), false),
        (count, true) => {
            let none = words::several(count, "recording is", "recordings are");
            (format!("no backup yet: {none} in none"), true)
        }
        (count, false) => {
            let none = words::several(count, "recording is", "recordings are");
            (format!("{none} in no backup"), true)
        }
    }
}

/// How a backup is made.
fn how(model: &Model, pane: &mut Pane<'_>) {
    let key = model.settings.keymap.key_for(Action::BackUpTo);
    let told = [
        format!("{key} writes one to a folder: on another disk, or a server that is mounted."),
        "It is encrypted, and opens with the passphrase and stock age.".to_owned(),
        "`voxvault backup DIR` does the same from a shell.".to_owned(),
    ];
    let mut y = 1 + u16::from(model.form() == Form::Wide);
    for text in told {
        for line in lines(&text, pane.area.width.saturating_sub(4)) {
            pane.put(3, y, &line, Style::new());
            y += 1;
        }
    }
}

/// Where segments and what is held begin on a wide screen.
fn right_columns(pane: &Pane<'_>) -> (u16, u16) {
    let holds = pane.area.width.saturating_sub(HOLDS);
    (holds.saturating_sub(SEGMENTS), holds)
}

fn wide(theme: &Theme, pane: &mut Pane<'_>, y: u16, entry: &BackupEntry, here: bool) {
    let style = if here { theme.row } else { Style::new() };
    let day = entry.at.to_zoned().strftime("%-d %b %Y").to_string();
    pane.put(WHEN, y, &day, theme.faint);
    let (segments, holds) = right_columns(pane);
    let room = segments.saturating_sub(WHERE + 2);
    pane.put(WHERE, y, &end_of(&place(entry), room), style);
    if let BackupShape::Folder(count) = entry.shape {
        let count = words::count(count as usize);
        pane.put_right(segments + 8, y, &count, theme.faint);
    }
    pane.put(holds, y, &held(entry), held_style(theme, entry));
}

fn narrow(theme: &Theme, pane: &mut Pane<'_>, y: u16, entry: &BackupEntry, here: bool) {
    let style = if here { theme.row } else { Style::new() };
    // What was destroyed since stands below.
    let held = much(entry);
    let most = pane.area.width / 2;
    let holds = pane
        .area
        .width
        .saturating_sub(columns(&held).min(most.min(HOLDS_NARROW)) + 1);
    pane.put(1, y, &end_of(&place(entry), holds.saturating_sub(2)), style);
    pane.put(holds, y, &held, held_style(theme, entry));
}

fn held_style(theme: &Theme, entry: &BackupEntry) -> Style {
    match entry.lacks {
        0 => theme.faint,
        _ => theme.accent,
    }
}

/// What it holds, in a few words.
fn held(entry: &BackupEntry) -> String {
    match (entry.shape, entry.destroyed) {
        (BackupShape::Unfinished | BackupShape::Source, _) | (_, 0) => much(entry),
        (_, count) => format!(
            "{} +{} destroyed",
            much(entry),
            words::count(count as usize)
        ),
    }
}

/// How much of what the vault has.
fn much(entry: &BackupEntry) -> String {
    match (entry.shape, entry.holds, entry.lacks) {
        (BackupShape::Unfinished, ..) => "not finished".to_owned(),
        (BackupShape::Source, ..) => "restored from".to_owned(),
        (_, all, 0) => format!("all {}", words::count(all)),
        (_, 0, _) => "none of these".to_owned(),
        (_, _, newer) => format!("all but {} newer", words::count(newer)),
    }
}

/// The same in sentences, for the one under the cursor.
fn details(model: &Model, pane: &mut Pane<'_>, entry: &BackupEntry) {
    let (theme, form) = (&model.settings.theme, model.form());
    let width = pane.area.width.saturating_sub(2);
    let mut y = 0;
    if form == Form::Wide {
        pane.put(1, y, &end_of(&place(entry), width), theme.strong);
        y += 1;
    }
    let when = entry.at.to_zoned().strftime("%-d %b %Y %H:%M").to_string();
    let shape = match entry.shape {
        BackupShape::Folder(count) => words::several(count as usize, "segment", "segments"),
        BackupShape::Unfinished => "its first run did not come to its end".to_owned(),
        BackupShape::Source => "nothing was written to it from here".to_owned(),
        BackupShape::Stream => "whether it arrived, the vault can't know".to_owned(),
    };
    let x = match model.backups.not_there.contains(&entry.path) {
        true => pane.put(1, y, "not there now", theme.danger) + 2,
        false => 1,
    };
    pane.put(x, y, &format!("{when} · {shape}"), theme.faint);
    y += 1;
    for line in lines(&sentence(entry, form), width) {
        pane.put(1, y, &line, theme.faint);
        y += 1;
    }
}

fn sentence(entry: &BackupEntry, form: Form) -> String {
    let is_wide = form == Form::Wide;
    let (holds, lacks) = (words::count(entry.holds), words::count(entry.lacks));
    let holds = match (entry.shape, entry.holds, entry.lacks) {
        (BackupShape::Unfinished, ..) => {
            return "what is whole in it stays; backing up again goes on behind it".to_owned();
        }
        (BackupShape::Source, ..) => {
            return "recordings were restored from it; what it holds else is not known".to_owned();
        }
        (_, _, 0) => format!("holds all {holds}"),
        (_, 0, _) => "holds none that is in the vault now".to_owned(),
        _ if is_wide => format!("holds {holds} recordings, all but {lacks} that came later"),
        _ => format!("holds {holds}, all but {lacks} newer"),
    };
    let was = if entry.destroyed == 1 { "was" } else { "were" };
    let count = words::count(entry.destroyed as usize);
    match (entry.destroyed, is_wide) {
        (0, _) => holds,
        (_, false) => format!("{holds}; still holds {count} destroyed since"),
        (_, true) => format!(
            "{holds}; still holds {count} that {was} destroyed since, until \
             `voxvault backup repack`"
        ),
    }
}

/// Where it is.
fn place(entry: &BackupEntry) -> String {
    match entry.shape {
        BackupShape::Stream => "a stream".to_owned(),
        BackupShape::Folder(_) | BackupShape::Source | BackupShape::Unfinished => {
            plain(&entry.path)
        }
    }
}

/// As much of the end of a path as fits: the end tells one from another.
fn end_of(path: &str, width: u16) -> String {
    if columns(path) <= width {
        return path.to_owned();
    }
    let mut left = usize::from(width.saturating_sub(1));
    let kept = path.char_indices().rev().take_while(|(_, letter)| {
        let wide = letter.width().unwrap_or(0);
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    });
    let from = kept.last().map_or(path.len(), |(at, _)| at);
    match width {
        0 => String::new(),
        _ => format!("…{}", path.get(from..).unwrap_or_default()),
    }
}

/// How far the work on a backup is, for the status line.
pub(super) fn progress(archiving: &Archiving) -> String {
    let doing = match archiving.work {
        Archive::BackUp => "backing up",
        Archive::Verify => "verifying",
    };
    let (done, of) = (archiving.done_bytes, archiving.of_bytes);
    match done.min(of).saturating_mul(100).checked_div(of) {
        None => format!("{doing} · {}", archiving.folder),
        Some(percent) => format!(
            "{doing} {percent} % · {} of {} · {}",
            words::bytes(done.min(of)),
            words::bytes(of),
            archiving.folder
        ),
    }
}

/// Whether to back up to this folder again.
pub(super) fn ask(theme: &Theme, folder: &str, answer: Answered, pane: &mut Pane<'_>) {
    let rows = pane.area.height;
    let roomy = rows >= 11;
    let mut y = u16::from(roomy);
    pane.put(3, y, "Back up into this folder again?", theme.strong);
    y += 1 + u16::from(roomy);
    let width = pane.area.width.saturating_sub(6);
    pane.put(5, y, &end_of(&plain(folder), width), theme.accent);
    y += 1 + u16::from(roomy);
    let told = [
        "Only what is new is added.",
        "It is sealed to the vault's own keys alone, not to others given with -r.",
    ];
    // The answers keep their row.
    let most = rows.saturating_sub(2 + u16::from(roomy));
    for line in told.iter().flat_map(|text| lines(text, width)) {
        if y <= most {
            pane.put(3, y, &line, Style::new());
            y += 1;
        }
    }
    y += u16::from(roomy);
    let y = y.min(rows.saturating_sub(1));
    answers(theme, ["not now", "back up"], answer, y, pane);
}

/// Which folder to back up to.
pub(super) fn ask_where(theme: &Theme, line: &Line, pane: &mut Pane<'_>) -> Option<Position> {
    let roomy = pane.area.height >= 11;
    let mut y = u16::from(roomy);
    pane.put(3, y, "Back up to which folder?", theme.strong);
    y += 1 + u16::from(roomy);
    let cursor = input(pane, 3, y, line);
    y += 1 + u16::from(roomy);
    let told = [
        "Empty, not there yet, or with a backup of this vault.",
        "It is sealed to the vault's own keys; `voxvault backup -r` adds others.",
    ];
    let width = pane.area.width.saturating_sub(6);
    for line in told.iter().flat_map(|text| lines(text, width)) {
        pane.put(3, y, &line, theme.faint);
        y += 1;
    }
    cursor
}

/// Text broken to this many columns.
fn lines(text: &str, width: u16) -> Vec<String> {
    let mut broken = Vec::new();
    wrap(text, usize::from(width).clamp(1, 76), &mut |from, to| {
        broken.push(text.get(from..to).unwrap_or_default().to_owned());
    });
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn of_a_long_path_the_end_is_shown() {
        assert_eq!(end_of("/media/disk/voxvault", 12), "…sk/voxvault");
        assert_eq!(end_of("/média/日本語", 5), "…本語");
        assert_eq!(end_of("/a", 2), "/a");
        assert_eq!(end_of("/ab", 1), "…");
        assert_eq!(end_of("/ab", 0), "");
    }

    proptest! {
        #[test]
        fn no_end_of_a_path_is_wider_than_its_room(path in any::<String>(), width in 0u16..40) {
            prop_assert!(columns(&end_of(&plain(&path), width)) <= width);
        }
    }
}
