//! Questions, forms and things to read, over the whole body of the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use ratatui::style::Style;

use super::paint::{Pane, columns};
use super::{input, words};
use crate::recording::RecordingId;
use crate::tui::engine::Format;
use crate::tui::keymap::Entry;
use crate::tui::model::line::Line;
use crate::tui::model::reading::wrap;
use crate::tui::model::{Answered, EditForm, ExportForm, Model, Overlay};
use crate::tui::theme::Theme;

pub(super) fn draw(model: &Model, overlay: &Overlay, buffer: &mut Buffer) -> Option<Position> {
    let mut pane = Pane::new(buffer, model.areas().dialog());
    let theme = &model.settings.theme;
    match overlay {
        Overlay::Help(top) => {
            help(model, *top, &mut pane);
            None
        }
        Overlay::Palette { line, row } => palette(model, line, *row, &mut pane),
        Overlay::Shred { ids, answer } => {
            shred(model, ids, *answer, &mut pane);
            None
        }
        Overlay::Redact {
            id, words, answer, ..
        } => {
            redact(model, *id, words, *answer, &mut pane);
            None
        }
        Overlay::Clock { leap, answer } => {
            super::retention::ask(theme, leap, *answer, &mut pane);
            None
        }
        Overlay::BackUp { folder, answer } => {
            super::backups::ask(theme, folder, *answer, &mut pane);
            None
        }
        Overlay::Folder(line) => super::backups::ask_where(theme, line, &mut pane),
        Overlay::Shredding => {
            pane.put(3, 1, "destroying their keys …", theme.strong);
            None
        }
        Overlay::Receipt(lines, top) => {
            let lines = words::wrapped(lines, pane.area.width.saturating_sub(6));
            for (y, (number, line)) in (1..).zip(lines.iter().enumerate().skip(*top)) {
                pane.put(
                    3,
                    y,
                    line,
                    if number == 0 {
                        theme.strong
                    } else {
                        Style::new()
                    },
                );
            }
            None
        }
        Overlay::Quit(answer) => {
            let (question, told, stay) = match model.is_recording() {
                true => (
                    "Stop the recording and quit?",
                    "It is kept. Sound is recorded only while voxvault runs.",
                    "keep recording",
                ),
                false => (
                    "Stop the backup and quit?",
                    "What is whole of it stays; the next one goes on there.",
                    "go on",
                ),
            };
            pane.put(3, 1, question, theme.strong);
            pane.put(3, 3, told, Style::new());
            answers(theme, [stay, "stop and quit"], *answer, 5, &mut pane);
            None
        }
        Overlay::Title(line) => {
            pane.put(3, 1, "What is this recording called?", theme.strong);
            input(&mut pane, 3, 3, line)
        }
        Overlay::Edit(form) => edit(model, form, &mut pane),
        Overlay::Export(form) => export(model, form, &mut pane),
    }
}

/// The table, with the keys as they are now.
fn help(model: &Model, top: usize, pane: &mut Pane<'_>) {
    let theme = &model.settings.theme;
    let line = |(entry, keys): (&'static Entry, &[crate::tui::input::Key])| {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        (keys.join(" "), entry.does)
    };
    // First what can be done here, then the rest.
    let place = model.place();
    let (here, elsewhere): (Vec<_>, Vec<_>) = model
        .settings
        .keymap
        .lines()
        .partition(|(entry, _)| entry.places.contains(&place));
    let mut lines = vec![("here".to_owned(), "")];
    lines.extend(here.into_iter().map(line));
    lines.push((String::new(), ""));
    lines.push(("elsewhere".to_owned(), ""));
    lines.extend(elsewhere.into_iter().map(line));
    for (y, (keys, does)) in (0..pane.area.height).zip(lines.into_iter().skip(top)) {
        if does.is_empty() {
            pane.put(1, y, &keys, theme.strong);
        } else {
            pane.put(3, y, &keys, theme.accent);
            pane.put(16, y, does, Style::new());
        }
    }
}

fn palette(model: &Model, line: &Line, row: usize, pane: &mut Pane<'_>) -> Option<Position> {
    let theme = &model.settings.theme;
    pane.put(1, 0, ":", theme.accent);
    let cursor = input(pane, 3, 0, line);
    let offered = model.palette(line.text());
    let rows = usize::from(pane.area.height.saturating_sub(2));
    let skip = (row + 1).saturating_sub(rows);
    if offered.is_empty() {
        pane.put(3, 2, "nothing is called that", theme.faint);
    }
    for (y, (at, (_, key, does))) in
        (2..).zip(offered.into_iter().enumerate().skip(skip).take(rows))
    {
        let here = at == row;
        if here {
            pane.put(1, y, "▌", theme.accent);
        }
        pane.put(3, y, &key, theme.accent);
        pane.put(10, y, does, if here { theme.row } else { Style::new() });
    }
    cursor
}

/// Names each thing that would be destroyed, and what is out of reach.
fn shred(model: &Model, ids: &[RecordingId], answer: Answered, pane: &mut Pane<'_>) {
    let theme = &model.settings.theme;
    let question = match ids.len() {
        1 => "Destroy this recording for good?".to_owned(),
        count => format!("Destroy {} recordings for good?", words::count(count)),
    };
    let rows = pane.area.height;
    let roomy = rows >= 11;
    pane.put(3, u16::from(roomy), &question, theme.danger);
    let first = if roomy { 3 } else { 1 };
    // Question and answers keep their rows. Where there are many, so does what is said
    // of the consequences; where there are few, it takes what the names leave.
    let width = pane.area.width;
    let shared = usize::from(rows.saturating_sub(first + if roomy { 3 } else { 1 }));
    let told = match roomy {
        true => consequences(width, shared.saturating_sub(1)).len(),
        false => 1,
    };
    let room = shared.saturating_sub(told).max(1);
    let shown = if ids.len() > room {
        room - 1
    } else {
        ids.len()
    };
    let mut y = first;
    for recording in ids
        .iter()
        .take(shown)
        .filter_map(|id| model.library.get(*id))
    {
        let when = recording
            .card
            .recorded_at
            .to_zoned()
            .strftime("%-d %b %H:%M")
            .to_string();
        pane.put(5, y, &when, theme.faint);
        let mut facts = words::duration(recording.card.duration().as_secs_f64());
        // Its name says more than its transcripts.
        if width >= 60 {
            let count = recording.versions.len();
            facts += &format!("   {}", words::several(count, "transcript", "transcripts"));
        }
        pane.part(ratatui::layout::Rect {
            width: width.saturating_sub(columns(&facts) + 4),
            ..pane.area
        })
        .put(19, y, &words::title(recording), theme.strong);
        pane.put_right(width.saturating_sub(2), y, &facts, theme.faint);
        y += 1;
    }
    if shown < ids.len() {
        pane.put(
            5,
            y,
            &format!("and {} more", words::count(ids.len() - shown)),
            theme.strong,
        );
        y += 1;
    }
    let free = shared.saturating_sub(usize::from(y - first));
    y += u16::from(roomy);
    for line in consequences(width, free) {
        pane.put(3, y, &line, Style::new());
        y += 1;
    }
    y += u16::from(roomy);
    answers(theme, ["keep", "destroy"], answer, y, pane);
}

/// What a shred does, and what it can't reach: in full if so many rows have room for
/// it, else in short, and of that as much as there is room for.
fn consequences(width: u16, rows: usize) -> Vec<String> {
    const FULL: &str = "Their keys are destroyed; nobody can open them, with the passphrase or \
                        without. Out of reach: backups and copies already made, snapshots, old \
                        cells of an SSD.";
    const SHORT: &str = "Nobody can open them any more. Out of reach: backups, copies, snapshots, \
                         old cells of an SSD.";
    let broken = |text: &str| {
        let mut lines = Vec::new();
        let width = usize::from(width.saturating_sub(4)).clamp(1, 72);
        wrap(text, width, &mut |from, to| {
            lines.push(text.get(from..to).unwrap_or_default().to_owned());
        });
        lines
    };
    let full = broken(FULL);
    if full.len() <= rows {
        return full;
    }
    let mut short = broken(SHORT);
    if short.len() > rows {
        short.truncate(rows);
        if let Some(last) = short.last_mut() {
            last.push_str(" …");
        }
    }
    short
}

/// Says which words would go, and what stays.
fn redact(model: &Model, id: RecordingId, said: &str, answer: Answered, pane: &mut Pane<'_>) {
    let theme = &model.settings.theme;
    let rows = pane.area.height;
    let roomy = rows >= 11;
    let mut y = u16::from(roomy);
    let question = "Silence this sentence and destroy its words for good?";
    pane.put(3, y, question, theme.danger);
    y += 1 + u16::from(roomy);
    if roomy && let Some(recording) = model.library.get(id) {
        let title = format!("{} · {}", words::when(recording), words::title(recording));
        pane.put(5, y, &title, theme.faint);
        y += 1;
    }
    // Question, answers and explanation keep their rows; the words share the rest.
    let room = usize::from(rows.saturating_sub(y + if roomy { 6 } else { 1 })).max(1);
    let width = pane.area.width.saturating_sub(6);
    let lines = words::wrapped(&[crate::error::plain(said)], width);
    for (number, line) in lines.iter().take(room).enumerate() {
        let more = number + 1 == room && lines.len() > room;
        let end = pane.put(5, y, line, theme.strong);
        if more {
            pane.put(end, y, " …", theme.faint);
        }
        y += 1;
    }
    if roomy {
        let told = [
            "In every transcript, under new keys: nobody can open what was there before.",
            "Title, tags and note stay as they are. Out of reach: backups and copies",
            "already made, snapshots, old cells of an SSD.",
        ];
        y += 1;
        for line in told {
            pane.put(3, y, line, Style::new());
            y += 1;
        }
        y += 1;
    }
    answers(theme, ["keep", "redact"], answer, y, pane);
}

pub(super) fn answers(
    theme: &Theme,
    words: [&str; 2],
    answer: Answered,
    y: u16,
    pane: &mut Pane<'_>,
) {
    let mut x = 3;
    for (word, which) in words.into_iter().zip([Answered::No, Answered::Yes]) {
        // Brackets say it too where reverse video doesn't show.
        let (text, style) = if answer == which {
            (format!("[ {word} ]"), theme.button)
        } else {
            (format!("  {word}  "), Style::new())
        };
        x = pane.put(x, y, &text, style) + 2;
    }
}

fn edit(model: &Model, form: &EditForm, pane: &mut Pane<'_>) -> Option<Position> {
    let theme = &model.settings.theme;
    let roomy = pane.area.height >= 8;
    if roomy && let Some(recording) = model.library.get(form.id) {
        pane.put(
            3,
            1,
            &format!("{} · {}", words::when(recording), words::title(recording)),
            theme.faint,
        );
    }
    let mut cursor = None;
    let first = if roomy { 3 } else { 0 };
    for (y, (name, (number, line))) in (first..).zip(
        ["title", "tags", "note"]
            .into_iter()
            .zip(form.fields.iter().enumerate()),
    ) {
        let active = number == form.field;
        pane.put(3, y, name, if active { theme.accent } else { theme.faint });
        let place = input(pane, 10, y, line);
        if active {
            cursor = place;
        }
    }
    cursor
}

fn export(model: &Model, form: &ExportForm, pane: &mut Pane<'_>) -> Option<Position> {
    let theme = &model.settings.theme;
    let roomy = pane.area.height >= 10;
    let mut y = u16::from(roomy);
    let what = match form.ids.as_slice() {
        [id] => model.library.get(*id).map(words::title).unwrap_or_default(),
        ids => words::several(ids.len(), "recording", "recordings"),
    };
    let end = pane.put(3, y, "Write a copy of ", theme.strong);
    pane.put(end, y, &what, theme.strong);
    y += if roomy { 2 } else { 1 };
    let label = |field: usize| {
        if form.field == field {
            theme.accent
        } else {
            theme.faint
        }
    };
    pane.put(3, y, "as", label(0));
    let mut x = 8;
    for (number, format) in Format::ALL.into_iter().enumerate() {
        let chosen = number == form.format;
        let text = if chosen {
            format!("[{}]", format.name())
        } else {
            format!(" {} ", format.name())
        };
        x = pane.put(
            x,
            y,
            &text,
            if chosen { theme.button } else { Style::new() },
        );
    }
    y += 1;
    pane.put(3, y, "to", label(1));
    let mut place = input(pane, 8, y, &form.destination);
    if form.ids.len() == 1 {
        let after = 8 + columns(form.destination.text());
        pane.put(after, y, &format!(".{}", form.format().name()), theme.faint);
    } else {
        pane.put(
            9 + columns(form.destination.text()),
            y,
            "(a folder)",
            theme.faint,
        );
    }
    if form.field != 1 {
        place = None;
    }
    y += if roomy { 2 } else { 1 };
    pane.put(
        3,
        y,
        "The copy is in the clear: whoever reads the file hears it.",
        theme.danger,
    );
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shred_does_is_said_in_as_many_rows_as_there_are_the_most_important_first() {
        for width in [20, 40, 80, 120] {
            for rows in 0..12 {
                let lines = consequences(width, rows);
                assert!(lines.len() <= rows, "{width}x{rows}: {lines:?}");
                assert_eq!(lines.is_empty(), rows == 0);
                let text = lines.join(" ");
                let begun = ["Nobody can", "Their keys"];
                assert!(rows == 0 || begun.iter().any(|start| text.starts_with(start)));
            }
            assert!(
                consequences(width, 12)
                    .join(" ")
                    .ends_with("cells of an SSD.")
            );
        }
        assert!(consequences(40, 3).join(" ").contains("Out of reach"));
        assert_eq!(
            consequences(40, 1),
            ["Nobody can open them any more. Out …"]
        );
    }
}
