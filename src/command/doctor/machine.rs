//! What the facts about machine, process and terminal mean.

use super::Check;
use crate::audio::DeviceInfo;
use crate::system::process::Process;
use crate::system::swap::{Kept, Swap};

pub(super) fn microphone(found: Result<Vec<DeviceInfo>, String>) -> Check {
    const NAME: &str = "microphone";
    const HINT: &str =
        "plug one in, or start the sound server; `voxvault devices --test` listens to it";
    match found {
        Ok(devices) => match devices.iter().find(|device| device.default) {
            Some(device) => Check::good(NAME, format!("{} is the default", device.name)),
            None if devices.is_empty() => Check::bad(NAME, "there is none", HINT),
            None => Check::bad(
                NAME,
                format!("{}, and none is the default", devices.len()),
                "name one: `device` in the settings, or --device",
            ),
        },
        Err(why) => Check::bad(NAME, why, HINT),
    }
}

/// A speech model, and what is wrong with it.
pub(super) struct ModelFound {
    pub(super) name: String,
    pub(super) in_use: bool,
    pub(super) damage: Option<String>,
}

pub(super) fn model(found: Result<Vec<ModelFound>, String>) -> Check {
    const NAME: &str = "model";
    let models = match found {
        Ok(models) => models,
        Err(why) => return Check::bad(NAME, why, "`voxvault model list` says more"),
    };
    if let Some((one, why)) = models
        .iter()
        .find_map(|one| Some((one, one.damage.as_ref()?)))
    {
        let hint = "remove it and bring it in again: `voxvault model remove`, `model import`";
        return Check::bad(NAME, format!("{} is damaged: {why}", one.name), hint);
    }
    match models.iter().find(|one| one.in_use) {
        Some(one) => Check::good(NAME, format!("{} is in use and whole", one.name)),
        None => Check::bad(
            NAME,
            "there is none: recordings wait to be transcribed",
            "`voxvault model import PATH` brings one in",
        ),
    }
}

/// Keys and text are wiped from memory and not locked in it, so that it counts
/// where the kernel may write memory to.
pub(super) fn swap(areas: Option<&[Swap]>) -> Check {
    const NAME: &str = "swap";
    let Some(areas) = areas else {
        return Check::bad(
            NAME,
            "the system does not tell",
            "see that swap is encrypted or off",
        );
    };
    let in_the_clear = areas.iter().filter(|area| area.kept == Kept::InTheClear);
    let places: Vec<String> = in_the_clear
        .map(|area| area.place.display().to_string())
        .collect();
    if !places.is_empty() {
        return Check::bad(
            NAME,
            format!(
                "{}: not encrypted, as far as can be told",
                places.join(", ")
            ),
            "keys and text may be written there: encrypt it (cryptsetup) or switch it off (swapoff -a)",
        );
    }
    Check::good(
        NAME,
        match areas.len() {
            0 => "off".to_owned(),
            1 => "one area, in memory or encrypted".to_owned(),
            many => format!("{many} areas, in memory or encrypted"),
        },
    )
}

pub(super) fn hibernation(possible: bool) -> Check {
    const NAME: &str = "hibernation";
    match possible {
        false => Check::good(NAME, "off"),
        true => Check::bad(
            NAME,
            "possible: it writes all of the memory to a disk",
            "lock voxvault before, or see that the disk to resume from is encrypted",
        ),
    }
}

pub(super) fn core_files(closed: bool) -> Check {
    const NAME: &str = "core files";
    match closed {
        true => Check::good(NAME, "none, and the memory is closed to other processes"),
        false => Check::bad(
            NAME,
            "the memory could not be closed to other processes",
            "`voxvault --verbose` says why",
        ),
    }
}

pub(super) fn tracer(process: Option<Process>) -> Check {
    const NAME: &str = "tracer";
    match process {
        None => Check::bad(
            NAME,
            "the system does not tell",
            "see that /proc is mounted",
        ),
        Some(Process {
            tracer: Some(pid), ..
        }) => Check::bad(
            NAME,
            format!("process {pid} traces this one and reads all that it does"),
            "end it, unless you started it",
        ),
        Some(_) => Check::good(NAME, "none"),
    }
}

pub(super) fn network(process: Option<Process>) -> Check {
    const NAME: &str = "network";
    match process {
        Some(Process { filtered: true, .. }) => {
            Check::good(NAME, "forbidden by a filter of the kernel")
        }
        _ => Check::bad(
            NAME,
            "no filter is in force; the program contains no network client all the same",
            "this kernel, or the sandbox around the program, has no seccomp filters",
        ),
    }
}

pub(super) fn clock(doubt: Option<String>) -> Check {
    const NAME: &str = "clock";
    match doubt {
        None => Check::good(NAME, "it may be right"),
        Some(doubt) => Check::bad(NAME, doubt, "set it, or recordings get wrong dates"),
    }
}

/// What is known of the terminal.
#[derive(Debug, Clone, Default)]
pub(super) struct Terminal {
    /// Columns and rows; `None` where standard output is none.
    pub(super) size: Option<(u16, u16)>,
    pub(super) kind: Option<String>,
    pub(super) colours: Option<String>,
    pub(super) no_colour: bool,
    pub(super) locale: Option<String>,
    pub(super) over_ssh: bool,
}

pub(super) fn terminal(terminal: &Terminal) -> Check {
    const NAME: &str = "terminal";
    let Some((columns, rows)) = terminal.size else {
        return Check::good(NAME, "standard output is none, so it was not looked at");
    };
    let colours = match (&terminal.colours, terminal.no_colour) {
        (_, true) => "none wanted",
        (Some(value), _) if value == "truecolor" || value == "24bit" => "all",
        _ => "16",
    };
    let ssh = if terminal.over_ssh {
        ", over SSH: the microphone is this machine's"
    } else {
        ""
    };
    let found = format!(
        "{} of {columns}x{rows}, colours: {colours}{ssh}",
        terminal.kind.as_deref().unwrap_or("one without a name")
    );
    let locale = terminal
        .locale
        .clone()
        .unwrap_or_default()
        .to_ascii_lowercase();
    if !(locale.contains("utf-8") || locale.contains("utf8")) {
        let found = format!("{found}; the locale is not UTF-8");
        return Check::bad(NAME, found, "set LANG, to C.UTF-8 for one");
    }
    match columns >= 20 && rows >= 5 {
        true => Check::good(NAME, found),
        false => Check::bad(
            NAME,
            found,
            "make it larger: below 20x5 the interface has one line",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(place: &str, kept: Kept) -> Swap {
        Swap {
            place: place.into(),
            kept,
        }
    }

    #[test]
    fn swap_is_fine_if_it_is_off_in_memory_or_encrypted() {
        assert!(swap(Some(&[])).ok);
        let fine = [
            area("/dev/zram0", Kept::InMemory),
            area("/dev/dm-1", Kept::Encrypted),
        ];
        assert!(swap(Some(&fine)).ok);
        let told = swap(Some(&[area("/dev/sda2", Kept::InTheClear)]));
        assert!(!told.ok && told.found.contains("/dev/sda2") && told.hint.is_some());
        assert!(!swap(None).ok);
    }

    #[test]
    fn what_is_wrong_with_process_and_machine_is_named_with_what_to_do() {
        let traced = Process {
            tracer: Some(77),
            filtered: true,
        };
        assert!(tracer(Some(traced)).found.contains("77"));
        assert!(network(Some(traced)).ok && !network(Some(Process::default())).ok);
        assert!(tracer(Some(Process::default())).ok && !tracer(None).ok);
        for bad in [
            tracer(None),
            network(None),
            hibernation(true),
            core_files(false),
            clock(Some("it is behind".to_owned())),
        ] {
            assert!(!bad.ok && bad.hint.is_some(), "{bad:?}");
        }
        assert!(clock(None).ok && hibernation(false).ok && core_files(true).ok);
    }

    #[test]
    fn a_missing_or_damaged_model_is_told() {
        let one = |damage: Option<&str>| ModelFound {
            name: "tiny".into(),
            in_use: true,
            damage: damage.map(str::to_owned),
        };
        assert!(model(Ok(vec![one(None)])).ok);
        assert!(
            model(Ok(vec![one(Some("cut short"))]))
                .found
                .contains("cut short")
        );
        assert!(!model(Ok(Vec::new())).ok && !model(Err("unreadable".into())).ok);
    }

    #[test]
    fn a_microphone_is_there_if_one_is_the_default() {
        let device = |default| DeviceInfo {
            name: "USB".into(),
            description: "a microphone".into(),
            default,
            rates_hz: vec![48_000],
            channels: vec![1],
        };
        assert!(microphone(Ok(vec![device(false), device(true)])).ok);
        assert!(!microphone(Ok(vec![device(false)])).ok);
        assert!(!microphone(Ok(Vec::new())).ok && !microphone(Err("no".into())).ok);
    }

    #[test]
    fn a_terminal_wants_utf_8_and_some_room() {
        let good = Terminal {
            size: Some((80, 24)),
            kind: Some("xterm".into()),
            locale: Some("en_GB.utf8".into()),
            ..Terminal::default()
        };
        assert!(terminal(&good).ok && terminal(&Terminal::default()).ok);
        let small = Terminal {
            size: Some((19, 24)),
            ..good.clone()
        };
        let ascii = Terminal {
            locale: Some("C".into()),
            ..good
        };
        assert!(!terminal(&small).ok && !terminal(&ascii).ok);
    }
}
