//! What the facts about the vault and the disk below it mean.

use std::path::Path;

use super::Check;
use crate::error::{Exit, Failure};
use crate::system::mounts::Mount;
use crate::vault::Unfit;
use crate::vault::medium::{Medium, Overwriting};

/// Bytes that an hour of sound takes in the inbox: a frame of 3,081 each 0.8 s.
const HOUR_BYTES: u64 = 3_081 * 4_500;

pub(super) fn vault(
    dir: &Path,
    failure: Option<&Failure>,
    mended: usize,
    unfit: &[Unfit],
) -> Check {
    const NAME: &str = "vault";
    if let Some(first) = unfit.first() {
        let more = match unfit.len() {
            1 => String::new(),
            all => format!("; and {} more", all - 1),
        };
        let found = format!("{}: {}{more}", first.path.display(), first.why);
        return Check::bad(NAME, found, first.remedy);
    }
    match failure {
        None if mended == 0 => Check::good(NAME, dir.display().to_string()),
        None => Check::bad(
            NAME,
            format!("{}: damage was mended just now", dir.display()),
            "look at the disk; `voxvault verify` reads the rest",
        ),
        Some(failure) => {
            let found = format!("{}: {}", dir.display(), failure.why);
            let hint = match failure.exit {
                Exit::NotFound => "`voxvault init` makes one",
                _ => failure
                    .hint
                    .as_deref()
                    .unwrap_or("see docs/THREAT-MODEL.md"),
            };
            Check::bad(NAME, found, hint)
        }
    }
}

pub(super) fn overwriting(medium: &Medium) -> Check {
    const NAME: &str = "overwriting";
    const HINT: &str = "what is shredded may stay on the disk: keep the vault on ext4 or xfs, on an encrypted disk";
    const ANEW: &str = "what is shredded may stay on the disk: back it up, and restore into a new vault, whose files are made so from the first; or keep it on ext4 or xfs, on an encrypted disk";
    let name = medium.name;
    let hint = match name {
        // `init` asks for it.
        "btrfs" => ANEW,
        _ => HINT,
    };
    match medium.overwriting {
        Overwriting::InPlace => Check::good(NAME, format!("{name} overwrites in place")),
        Overwriting::Depends(why) => Check::good(NAME, format!("{name}: {why}")),
        Overwriting::LeavesOldBytes(why) => Check::bad(
            NAME,
            format!("{name} does not overwrite in place: {why}"),
            hint,
        ),
        Overwriting::Unknown => Check::bad(
            NAME,
            "it is not known whether this file system overwrites in place",
            HINT,
        ),
    }
}

/// Told, never complained about: a drive that is told what is free clears it sooner.
pub(super) fn discard(mount: &Mount) -> Check {
    let told = match mount.option("discard") {
        Some(_) => "the drive is told at once what is free",
        None => "the drive is not told at once what is free",
    };
    let (kind, point) = (&mount.kind, mount.point.display());
    Check::good("mount", format!("{kind} on {point}: {told}"))
}

pub(super) fn space(free_bytes: Option<u64>) -> Check {
    const NAME: &str = "space";
    match free_bytes {
        None => Check::bad(NAME, "the system does not tell", "look at it with df"),
        Some(bytes) => {
            let found = format!(
                "{} MB, for {} hours of sound",
                bytes >> 20,
                bytes / HOUR_BYTES
            );
            match bytes >= HOUR_BYTES {
                true => Check::good(NAME, found),
                false => Check::bad(NAME, found, "make room before you record"),
            }
        }
    }
}

pub(super) fn permissions(open: &[String]) -> Check {
    const NAME: &str = "permissions";
    match open.first() {
        None => Check::good(NAME, "nobody else has rights in the vault"),
        Some(first) => Check::bad(
            NAME,
            format!("others have rights: {first}, {} in all", open.len()),
            "chown it to yourself, and chmod -R go= it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_that_keeps_old_bytes_is_told_and_one_that_may_is_not_blamed() {
        let check = |overwriting| {
            overwriting_of(&Medium {
                name: "somefs",
                overwriting,
            })
        };
        use super::overwriting as overwriting_of;
        assert!(check(Overwriting::InPlace).ok);
        assert!(check(Overwriting::Depends("perhaps")).ok);
        let bad = check(Overwriting::LeavesOldBytes("elsewhere"));
        assert!(!bad.ok && bad.found.contains("somefs") && bad.found.contains("elsewhere"));
        assert!(!check(Overwriting::Unknown).ok);
        let advises = |name, what: &str| {
            let overwriting = Overwriting::LeavesOldBytes("elsewhere");
            let hint = overwriting_of(&Medium { name, overwriting }).hint;
            hint.is_some_and(|hint| hint.contains(what))
        };
        assert!(advises("overlay", "keep the vault on ext4"));
        assert!(advises("btrfs", "restore into a new vault"));
    }

    #[test]
    fn an_hour_of_room_is_enough() {
        assert!(space(Some(HOUR_BYTES)).ok);
        assert!(!space(Some(HOUR_BYTES - 1)).ok && !space(None).ok);
        assert!(permissions(&[]).ok && !permissions(&["keys".into()]).ok);
    }

    #[test]
    fn what_keeps_a_vault_from_being_opened_is_said_with_what_to_do() {
        let dir = Path::new("/v");
        assert!(vault(dir, None, 0, &[]).ok && !vault(dir, None, 1, &[]).ok);
        let none = Failure::new(
            Exit::NotFound,
            "can't open the vault",
            "there is no vault here",
        );
        let told = vault(dir, Some(&none), 0, &[]);
        assert!(!told.ok && told.hint.is_some_and(|hint| hint.contains("init")));
        let newer =
            Failure::new(Exit::Failed, "can't open", "it has format 2").hint("update voxvault");
        assert_eq!(
            vault(dir, Some(&newer), 0, &[]).hint.as_deref(),
            Some("update voxvault")
        );
    }
}
