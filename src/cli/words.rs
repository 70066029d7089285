//! A search query on the command line: one leading `-` excludes a word, which
//! a parser of flags would take for flags.

use std::ffi::OsString;

/// Moves the excluded words of `search` behind `--`, where all is query. Their
/// order among the other words carries no meaning.
pub(super) fn set_apart(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut before: Vec<OsString> = arguments.into_iter().collect();
    let after = match before.iter().position(|argument| argument == "--") {
        Some(at) => before.split_off(at).split_off(1),
        None => Vec::new(),
    };
    let had_after = !after.is_empty();
    let excludes: Option<fn(&str) -> bool> = match subcommand(&before) {
        Some("search") => Some(excludes_a_word),
        Some("list" | "export" | "shred") => Some(turns_a_filter_round),
        _ => None,
    };
    let mut excluded = Vec::new();
    if let Some(excludes) = excludes {
        before.retain(|argument| {
            let excludes = argument.to_str().is_some_and(excludes);
            if excludes {
                excluded.push(argument.clone());
            }
            !excludes
        });
    }
    if had_after || !excluded.is_empty() {
        before.push("--".into());
    }
    before.into_iter().chain(after).chain(excluded).collect()
}

/// `-word`, but none of the flags that every command has.
fn excludes_a_word(argument: &str) -> bool {
    let flags = ["-q", "-v", "-h", "-V"];
    argument.len() > 1
        && argument.starts_with('-')
        && !argument.starts_with("--")
        && !flags.contains(&argument)
}

/// `-tag:work` or `-today`, where only filters are taken.
fn turns_a_filter_round(argument: &str) -> bool {
    let words = ["-last", "-today", "-yesterday"];
    excludes_a_word(argument) && (argument.contains(':') || words.contains(&argument))
}

/// The first argument that is neither an option nor the value of one.
fn subcommand(arguments: &[OsString]) -> Option<&str> {
    const WITH_VALUE: [&str; 5] = [
        "--vault",
        "--passphrase-file",
        "--passphrase-command",
        "--identity",
        "--color",
    ];
    let mut arguments = arguments
        .iter()
        .skip(1)
        .map(|argument| argument.to_str().unwrap_or(""));
    while let Some(argument) = arguments.next() {
        if WITH_VALUE.contains(&argument) {
            arguments.next();
        } else if !argument.starts_with('-') {
            return Some(argument);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(line: &str) -> String {
        let moved = set_apart(line.split(' ').map(OsString::from));
        let words: Vec<_> = moved.iter().filter_map(|word| word.to_str()).collect();
        words.join(" ")
    }

    #[test]
    fn excluded_words_go_behind_the_dashes() {
        assert_eq!(
            apart("voxvault --vault D search heater -violin --json"),
            "voxvault --vault D search heater --json -- -violin"
        );
        assert_eq!(
            apart("voxvault search a -q -- -b"),
            "voxvault search a -q -- -b"
        );
    }

    #[test]
    fn flags_stand_anywhere_and_filters_can_be_turned_round() {
        assert_eq!(
            apart("voxvault list tag:a -tag:b --json -q"),
            "voxvault list tag:a --json -q -- -tag:b"
        );
        assert_eq!(
            apart("voxvault shred tag:a -last --yes"),
            "voxvault shred tag:a --yes -- -last"
        );
    }

    #[test]
    fn other_commands_are_left_alone() {
        assert_eq!(
            apart("voxvault edit x --tag -work"),
            "voxvault edit x --tag -work"
        );
        assert_eq!(
            apart("voxvault export -o search x"),
            "voxvault export -o search x"
        );
    }
}
