//! Retention for the screen: what goes by the rules, in words, and sweeping once the
//! person has said that the clock is right.

use super::desk::{Desk, lines_behind};
use super::notes::Notes;
use super::{Answer, Errand};
use crate::command::{retain, scrub};
use crate::error::{Failure, plain};
use crate::recording::Moment;
use crate::retention::Trust;
use crate::tui::engine::{Coming, Leap, Retention};
use crate::vault::{Doubt, Expiry};

/// When what waits for its transcript goes, in the columns of a date and time.
const ONCE_TRANSCRIBED: &str = "once transcribed";

impl Desk {
    /// Asks about a clock that is not believed, if something would go by it.
    pub(super) fn ask_about_clock(&self, notes: &Notes<'_>) {
        if let Some(doubt) = notes.doubt() {
            self.shared.tell(Answer::ClockLeapt(leap(&doubt)));
        }
    }

    /// The rules and what goes by them.
    pub(super) fn retention(&self) -> Result<(), Failure> {
        let outlook = self.open()?.outlook(self.shared.context.now())?;
        let later = outlook.later.iter().map(|one| coming(one, &when(one.at)));
        let due = outlook.due.iter().map(|one| coming(one, ""));
        let waiting = outlook.once_transcribed.iter();
        let waiting = waiting.map(|one| coming(one, ONCE_TRANSCRIBED));
        self.shared.tell(Answer::Retention(Retention {
            rules: outlook
                .rules
                .iter()
                .map(|rule| plain(&rule.to_string()))
                .collect(),
            coming: due.chain(later).chain(waiting).collect(),
            pinned: outlook.pinned,
        }));
        Ok(())
    }

    /// Destroys what is due by a clock that the person says is right.
    pub(super) fn sweep(&mut self) -> Result<(), Failure> {
        let notes = Notes::default();
        let swept = retain::apply(&self.shared.context, Trust::Confirmed, &notes)?;
        let mut told = match &swept {
            None => vec!["Nothing was due any more.".to_owned()],
            Some(swept) => {
                let first = format!("Destroyed for good: {}.", retain::counted(swept));
                let mut lines = lines_behind(first, &swept.receipt);
                let failed = swept.failed.iter();
                lines.extend(failed.map(|(id, why)| format!("NOT DONE: {}: {why}", id.short())));
                lines
            }
        };
        told.extend(notes.take());
        let audio_bytes = swept.map_or(0, |swept| swept.receipt.audio_bytes());
        if let Some(offer) = scrub::offer(&self.shared.context, audio_bytes) {
            told.extend([String::new(), format!("{offer}.")]);
        }
        self.errands(Errand::Forget);
        self.shared.tell(Answer::Swept(told));
        self.list()
    }
}

fn leap(doubt: &Doubt) -> Leap {
    let believed = Moment {
        unix_ms: doubt.believed_ms,
        offset_s: doubt.now.offset_s,
    };
    Leap {
        now: when(doubt.now),
        believed: when(believed),
        due: doubt.due.iter().map(|one| coming(one, "")).collect(),
    }
}

fn coming(expiry: &Expiry, when: &str) -> Coming {
    let title = match expiry.title() {
        "" => expiry.id.short(),
        title => plain(title),
    };
    Coming {
        when: when.to_owned(),
        what: expiry.what.name(),
        title,
        by: plain(&expiry.by),
    }
}

fn when(moment: Moment) -> String {
    moment.to_zoned().strftime("%Y-%m-%d %H:%M").to_string()
}
