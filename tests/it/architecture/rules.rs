//! The rules of the house, and what breaks them.

use super::mentions::Source;

/// The modules in the order in which they build on each other: a module may
/// import itself and what stands before it.
const ORDER: [&str; 22] = [
    "error",
    "fence",
    "recording",
    "time",
    "retention",
    "transcript",
    "listing",
    "config",
    "hardening",
    "system",
    "crypto",
    "audio",
    "speech",
    "vault",
    "search",
    "backup",
    "foreign",
    "worker",
    "command",
    "tui",
    "cli",
    "main",
];

/// Modules that stand in order and still may not see each other.
const STRANGERS: [(&str, &str); 1] = [("crypto", "audio")];

/// Libraries, and the modules that may know them.
const FENCES: [(&str, &[&str]); 18] = [
    ("seccompiler", &["hardening"]),
    ("age", &["crypto", "backup"]),
    ("blake3", &["crypto"]),
    ("ed25519_dalek", &["crypto"]),
    ("tar", &["backup"]),
    ("redb", &["vault"]),
    ("cpal", &["audio"]),
    ("symphonia", &["audio"]),
    ("opusic_c", &["audio"]),
    ("rubato", &["audio"]),
    ("whisper_rs", &["speech"]),
    ("earshot", &["speech"]),
    ("zip", &["speech", "foreign"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("ratatui", &["tui"]),
    ("crossterm", &["tui"]),
];

/// Modules that hold data and rules only, and what of `std` they do without.
const PURE: [&str; 7] = [
    "error",
    "time",
    "retention",
    "recording",
    "transcript",
    "listing",
    "search",
];
const IMPURE: [&str; 5] = ["fs", "net", "process", "env", "os"];

/// Types that open a network connection.
const SOCKETS: [&str; 3] = ["TcpStream", "TcpListener", "UdpSocket"];

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|name| *name == module)
}

/// Imports from modules that stand below, between strangers, and files of
/// modules that have no place in the order.
pub(super) fn import_breaches(source: &Source) -> Vec<String> {
    if source.module == "lib" {
        return Vec::new();
    }
    let Some(own) = rank(&source.module) else {
        return vec![format!(
            "{}: `{}` has no place in the order",
            source.path, source.module
        )];
    };
    let strange = |other: &str| {
        STRANGERS.iter().any(|(a, b)| {
            (*a == source.module && *b == other) || (*b == source.module && *a == other)
        })
    };
    source
        .own_modules()
        .filter(|(_, other)| {
            strange(other.as_str()) || rank(other).is_some_and(|theirs| theirs > own)
        })
        .map(|(line, other)| {
            format!(
                "{}:{line}: `{}` may not import `{other}`",
                source.path, source.module
            )
        })
        .collect()
}

/// Libraries that are named outside the modules that may know them.
pub(super) fn fence_breaches(source: &Source) -> Vec<String> {
    source
        .paths()
        .filter_map(|(line, path)| {
            let (library, homes) = FENCES.iter().find(|(library, _)| path[0] == *library)?;
            (!homes.contains(&source.module.as_str())).then(|| {
                format!(
                    "{}:{line}: `{library}` belongs to {}",
                    source.path,
                    homes.join(", ")
                )
            })
        })
        .collect()
}

/// `std::net`, and the types of it that connect.
pub(super) fn network_breaches(source: &Source) -> Vec<String> {
    let module = source
        .paths()
        .filter(|(_, path)| path.starts_with(&["std".into(), "net".into()]));
    let types = source
        .paths()
        .filter(|(_, path)| path.iter().any(|part| SOCKETS.contains(&part.as_str())));
    module
        .chain(types)
        .map(|(line, path)| {
            format!(
                "{}:{line}: `{}` is the network",
                source.path,
                path.join("::")
            )
        })
        .collect()
}

/// Input and output where there should be none.
pub(super) fn purity_breaches(source: &Source) -> Vec<String> {
    if !PURE.contains(&source.module.as_str()) {
        return Vec::new();
    }
    source
        .paths()
        .filter(|(_, path)| {
            path[0] == "std"
                && path
                    .get(1)
                    .is_some_and(|part| IMPURE.contains(&part.as_str()))
        })
        .map(|(line, path)| {
            format!(
                "{}:{line}: `{}` in a pure module",
                source.path,
                path.join("::")
            )
        })
        .collect()
}

/// Modules that `lib.rs` lists after one that builds on them.
pub(super) fn order_breaches(listed: &[String]) -> Vec<String> {
    listed
        .windows(2)
        .filter(|pair| rank(&pair[0]) >= rank(&pair[1]))
        .map(|pair| format!("lib.rs: `{}` stands before `{}`", pair[0], pair[1]))
        .collect()
}

/// The crates that deny.toml bans.
pub(super) fn banned_crates(deny_toml: &str) -> Vec<String> {
    let table: toml::Table = deny_toml.parse().unwrap();
    names(&table["bans"]["deny"], "crate")
}

/// The crates that Cargo.lock holds, for every platform.
pub(super) fn locked_crates(cargo_lock: &str) -> Vec<String> {
    let table: toml::Table = cargo_lock.parse().unwrap();
    names(&table["package"], "name")
}

fn names(list: &toml::Value, key: &str) -> Vec<String> {
    let entries = list.as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry[key].as_str().unwrap().to_owned())
        .collect()
}

/// Banned crates that are in the tree.
pub(super) fn ban_breaches(locked: &[String], banned: &[String]) -> Vec<String> {
    let found = locked.iter().filter(|name| banned.contains(name));
    found
        .map(|name| format!("Cargo.lock: `{name}` is banned by deny.toml"))
        .collect()
}
