//! The first start and the locked screen, while a passphrase is typed.

use crate::error::{Exit, Failure};
use crate::tui::engine::Request;
use crate::tui::input::Key;
use crate::tui::model::{FirstStart, Model, Repeat, Vault};
use crate::tui::msg::Effect;
use crate::tui::secret::Secret;

/// The shortest passphrase that makes a vault, characters. CLI.md: `init`
/// refuses less.
pub(super) const SHORTEST: usize = 8;

/// Whether keys are text here.
pub(super) fn takes_text(model: &Model) -> bool {
    matches!(
        model.vault,
        Vault::Missing(_) | Vault::Locked { typed: Some(_), .. }
    )
}

/// The passphrase being typed.
fn field(vault: &mut Vault) -> Option<&mut Secret> {
    match vault {
        Vault::Missing(start) => match start.repeating {
            Repeat::First => Some(&mut start.first),
            Repeat::Again => Some(&mut start.again),
        },
        Vault::Locked { typed, .. } => typed.as_mut(),
        Vault::Unknown | Vault::Opening | Vault::Open => None,
    }
}

pub(super) fn paste(model: &mut Model, text: &str) {
    if let Some(secret) = field(&mut model.vault) {
        text.chars().for_each(|letter| secret.push(letter));
    }
}

pub(super) fn press(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    match key {
        Key::Enter => return enter(model, effects),
        Key::Esc => return back(model),
        Key::Tab | Key::BackTab | Key::Up | Key::Down => {
            if let Vault::Missing(start) = &mut model.vault {
                start.repeating = match start.repeating {
                    Repeat::First => Repeat::Again,
                    Repeat::Again => Repeat::First,
                };
            }
        }
        _ => {}
    }
    if let Some(secret) = field(&mut model.vault) {
        match key {
            Key::Char(letter) => secret.push(letter),
            Key::Backspace => secret.rub_out(),
            Key::Ctrl('u') => secret.wipe(),
            _ => {}
        }
    }
}

fn back(model: &mut Model) {
    match &mut model.vault {
        Vault::Missing(start) => {
            start.first.wipe();
            start.again.wipe();
            start.repeating = Repeat::First;
        }
        Vault::Locked { typed, .. } => *typed = None,
        Vault::Unknown | Vault::Opening | Vault::Open => {}
    }
}

fn enter(model: &mut Model, effects: &mut Vec<Effect>) {
    match &mut model.vault {
        Vault::Missing(start) => match ready(start) {
            Ok(Some(passphrase)) => {
                effects.push(Effect::Ask(Request::Create(passphrase)));
                model.vault = Vault::Opening;
            }
            Ok(None) => {}
            Err(why) => model.complain(&Failure::new(Exit::Failed, "no vault was made", why)),
        },
        Vault::Locked { typed, .. } => {
            if let Some(passphrase) = typed.take().filter(|secret| !secret.is_empty()) {
                effects.push(Effect::Ask(Request::Unlock(passphrase)));
                model.vault = Vault::Opening;
            }
        }
        Vault::Unknown | Vault::Opening | Vault::Open => {}
    }
}

/// The passphrase when both fields agree; `None` when the second is still to come.
fn ready(start: &mut FirstStart) -> Result<Option<Secret>, &'static str> {
    if start.first.length() < SHORTEST {
        start.repeating = Repeat::First;
        return Err("a passphrase has at least 8 characters");
    }
    if start.repeating == Repeat::First {
        start.repeating = Repeat::Again;
        return Ok(None);
    }
    if start.first.expose() != start.again.expose() {
        start.again.wipe();
        return Err("the two passphrases differ; type the second one again");
    }
    start.again.wipe();
    start.repeating = Repeat::First;
    Ok(Some(std::mem::take(&mut start.first)))
}
