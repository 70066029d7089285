//! The right pane: what is known of a recording, and what was said in it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paint::Pane;
use super::words;
use crate::recording::{Moment, Recording, SoundLeft, shown_tag};
use crate::tui::model::reading::{Reading, Text, TextLine};
use crate::tui::model::{Model, Pane as Focus};

const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

pub(super) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let Some(reading) = &model.reading else {
        return;
    };
    let Some(recording) = model.library.get(reading.id) else {
        return;
    };
    let theme = &model.settings.theme;
    let head = model.areas().text_head();
    let mut pane = Pane::new(buffer, area);
    pane.put(1, 0, &words::title(recording), theme.strong);
    if head > 1 {
        pane.put(1, 1, &facts(recording), theme.faint);
        pane.put(1, 2, &labels(recording), theme.accent);
        waveform(model, reading, 3, &mut pane);
    }
    match &reading.text {
        Text::Coming => {}
        Text::None => {
            pane.put(1, head, &without_text(model, recording), theme.faint);
        }
        Text::Here(_) => text(model, reading, head, &mut pane),
    }
}

fn facts(recording: &Recording) -> String {
    let mut facts = vec![
        words::when(recording),
        words::duration(recording.card.duration().as_secs_f64()),
    ];
    match recording.versions.last() {
        Some(version) => {
            facts.push(version.language.clone());
            facts.push(version.model.clone());
            facts.push(format!("v{}", version.number));
        }
        None => facts.push(words::state(recording).to_owned()),
    }
    facts.join(" · ")
}

fn labels(recording: &Recording) -> String {
    let mut labels: Vec<String> = recording
        .card
        .tags
        .iter()
        .map(|tag| format!("#{}", shown_tag(tag)))
        .collect();
    if recording.card.pinned {
        labels.push("pinned".to_owned());
    }
    if let (Some(shredded), false) = (recording.lacks(), recording.versions.is_empty()) {
        labels.push(shredded.to_owned());
    }
    labels.extend(kept(recording));
    labels.extend(recording.missing_in_words());
    if !recording.card.note.trim().is_empty() {
        labels.push(recording.card.note.trim().to_owned());
    }
    labels.join(" ")
}

/// Until when the retention rules leave it alone, if they don't for good.
fn kept(recording: &Recording) -> Option<String> {
    let day = |moment: Moment| moment.to_zoned().strftime("%-d %b %Y").to_string();
    let audio = recording
        .kept_until
        .audio
        .filter(|_| recording.audio_bytes > 0);
    let text = recording
        .kept_until
        .text
        .filter(|_| !recording.text_shredded);
    let at_once = |until: Moment| until.unix_ms <= recording.kept_from.unix_ms;
    if recording.waits_for_transcript() && audio.is_some_and(at_once) {
        // A rule that keeps no sound waits for its text, and so does its clock.
        return Some("sound kept until it is transcribed".to_owned());
    }
    Some(match (audio, text) {
        (None, None) => return None,
        (Some(audio), Some(text)) if audio == text => format!("kept until {}", day(audio)),
        (Some(audio), None) => format!("sound kept until {}", day(audio)),
        (None, Some(text)) => format!("text kept until {}", day(text)),
        (Some(audio), Some(text)) => {
            format!("sound kept until {}, text until {}", day(audio), day(text))
        }
    })
}

fn without_text(model: &Model, recording: &Recording) -> String {
    if recording.text_shredded {
        return "its text was shredded".to_owned();
    }
    match recording.sound_left() {
        SoundLeft::Here => {}
        SoundLeft::Shredded => {
            return "its sound was shredded before it was transcribed".to_owned();
        }
        SoundLeft::Lost => return "its sound is lost, and it has no transcript".to_owned(),
    }
    match (&recording.card.failure, recording.waits_for_transcript()) {
        (Some(why), _) => format!("transcribing it failed: {why}"),
        (None, true) if model.transcribing.is_none() => {
            "waits to be transcribed (is there a speech model? M shows)".to_owned()
        }
        (None, true) => "waits to be transcribed".to_owned(),
        (None, false) => "there is nothing to hear in it".to_owned(),
    }
}

/// Loudness over the length; what was played already in the accent's colour.
fn waveform(model: &Model, reading: &Reading, y: u16, pane: &mut Pane<'_>) {
    let theme = &model.settings.theme;
    let columns = usize::from(pane.area.width.saturating_sub(2));
    if reading.levels.is_empty() || columns == 0 {
        return;
    }
    let playing = model
        .player
        .as_ref()
        .filter(|player| player.id == reading.id && player.duration_s > 0.0);
    let played = playing.map_or(0.0, |player| {
        player.position_s / player.duration_s * columns as f64
    });
    for column in 0..columns {
        let count = reading.levels.len();
        let (from, to) = (
            column * count / columns,
            ((column + 1) * count / columns).max(column * count / columns + 1),
        );
        let loudest = reading
            .levels
            .get(from..to.min(count))
            .unwrap_or_default()
            .iter()
            .max()
            .copied()
            .unwrap_or(0);
        let bar = BARS
            .get(usize::from(loudest) * BARS.len() / 256)
            .copied()
            .unwrap_or("█");
        let style = if (column as f64) < played {
            theme.accent
        } else {
            theme.faint
        };
        pane.put(
            u16::try_from(column).unwrap_or(u16::MAX).saturating_add(1),
            y,
            bar,
            style,
        );
    }
}

fn text(model: &Model, reading: &Reading, head: u16, pane: &mut Pane<'_>) {
    let theme = &model.settings.theme;
    let indent = u16::try_from(reading.time_columns()).unwrap_or(9);
    let playing = model
        .player
        .as_ref()
        .filter(|player| player.id == reading.id);
    let spoken = playing
        .and_then(|player| Some((reading.segment_at(player.position_s)?, player.position_s)));
    for (y, line) in (head..pane.area.height).zip(reading.lines.iter().skip(reading.top)) {
        let Some(segment) = reading.segments().get(line.segment) else {
            continue;
        };
        if model.focus == Focus::Text && line.segment == reading.cursor {
            pane.put(0, y, "▌", theme.accent);
        }
        if line.from == 0 {
            pane.put(
                1,
                y,
                &words::duration(f64::from(segment.start_ms) / 1000.0),
                theme.faint,
            );
        }
        let mut lit = reading.marks(line.segment).to_vec();
        if let Some((number, at_s)) = spoken
            && number == line.segment
        {
            lit.extend(Reading::word_at(segment, at_s));
        }
        lit.sort_unstable();
        words_of_line(&segment.text, *line, &lit, (indent, y), theme.lit, pane);
    }
}

/// One line of a segment, the `lit` byte ranges of its text lit.
fn words_of_line(
    text: &str,
    line: TextLine,
    lit: &[[usize; 2]],
    place: (u16, u16),
    style: Style,
    pane: &mut Pane<'_>,
) {
    let (mut x, y) = place;
    let mut at = line.from;
    for [from, to] in lit {
        let (from, to) = ((*from).clamp(at, line.to), (*to).clamp(at, line.to));
        if to <= from {
            continue;
        }
        x = pane.put(x, y, text.get(at..from).unwrap_or_default(), Style::new());
        x = pane.put(x, y, text.get(from..to).unwrap_or_default(), style);
        at = to;
    }
    pane.put(
        x,
        y,
        text.get(at..line.to).unwrap_or_default(),
        Style::new(),
    );
}
