//! Where memory is written to: swap areas and hibernation.

use std::fs;
use std::path::{Path, PathBuf};

/// A swap area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// The device or file.
    pub place: PathBuf,
    /// What becomes of what is written there.
    pub kept: Kept,
}

/// What becomes of memory that is swapped out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It stays in memory, compressed.
    InMemory,
    /// It lies on a disk, encrypted.
    Encrypted,
    /// It lies on a disk in the clear, as far as can be told.
    InTheClear,
}

/// The swap areas in use; `None` where the system does not tell.
#[must_use]
pub fn of_this_machine() -> Option<Vec<Swap>> {
    let text = fs::read_to_string("/proc/swaps").ok()?;
    Some(parse(&text, &|place| {
        let device = place.canonicalize().ok()?;
        let name = device.file_name()?;
        fs::read_to_string(Path::new("/sys/block").join(name).join("dm/uuid")).ok()
    }))
}

/// Reads the text of `/proc/swaps`. `mapped` answers with the device mapper's name
/// for what it made a device of.
#[must_use]
pub fn parse(text: &str, mapped: &dyn Fn(&Path) -> Option<String>) -> Vec<Swap> {
    let places = text.lines().skip(1);
    let places = places.filter_map(|line| line.split_whitespace().next());
    places
        .map(|place| {
            let place = PathBuf::from(place);
            Swap {
                kept: kept(&place, mapped),
                place,
            }
        })
        .collect()
}

fn kept(place: &Path, mapped: &dyn Fn(&Path) -> Option<String>) -> Kept {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with("zram") {
        return Kept::InMemory;
    }
    match mapped(place) {
        // cryptsetup names what it maps CRYPT-LUKS2-…, CRYPT-PLAIN-…
        Some(uuid) if uuid.starts_with("CRYPT-") => Kept::Encrypted,
        _ => Kept::InTheClear,
    }
}

/// Whether this machine can write all of its memory to a disk and switch itself
/// off: it knows how to, and has a place to resume from.
#[must_use]
pub fn can_hibernate_here() -> bool {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    can_hibernate(&read("/sys/power/state"), &read("/sys/power/resume"))
}

/// The same, told from `/sys/power/state` and `/sys/power/resume`.
#[must_use]
pub fn can_hibernate(state: &str, resume: &str) -> bool {
    let resume = resume.trim();
    state.split_whitespace().any(|word| word == "disk") && !matches!(resume, "" | "0:0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_in_memory_and_encrypted_swap_are_told_from_swap_in_the_clear() {
        let text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n\
                    /dev/zram0                              partition\t4194300\t0\t100\n\
                    /dev/dm-1                               partition\t1000\t0\t-2\n\
                    /dev/dm-2                               partition\t1000\t0\t-3\n\
                    /swapfile                               file\t\t1000\t0\t-4\n";
        let mapped = |place: &Path| match place.to_str() {
            Some("/dev/dm-1") => Some("CRYPT-PLAIN-swap".to_owned()),
            Some("/dev/dm-2") => Some("LVM-abc".to_owned()),
            _ => None,
        };
        let kept: Vec<Kept> = parse(text, &mapped).iter().map(|swap| swap.kept).collect();
        use Kept::{Encrypted, InMemory, InTheClear};
        assert_eq!(kept, [InMemory, Encrypted, InTheClear, InTheClear]);
        assert_eq!(parse("Filename Type Size Used Priority\n", &mapped), []);
    }

    #[test]
    fn hibernation_needs_a_place_to_resume_from() {
        assert!(can_hibernate("freeze mem disk\n", "253:2\n"));
        assert!(!can_hibernate("freeze mem disk\n", "0:0\n"));
        assert!(!can_hibernate("freeze mem\n", "253:2\n"));
        assert!(!can_hibernate("", ""));
    }
}
