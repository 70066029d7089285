//! The house plan holds: modules import only what stands above them, a library
//! is known to one module only, and nothing that could open a network
//! connection is compiled in.
//!
//! The rules stand in `rules.rs`, what a source file mentions is read by
//! `mentions.rs`; here they are held against the tree, and against made-up
//! files that break each of them.

mod mentions;
mod rules;

use std::fs;
use std::path::{Path, PathBuf};

use mentions::Source;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file under `src`, with the module path its place gives it.
fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    collect(&root().join("src"), &mut files);
    files.sort();
    files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).unwrap();
            Source::read(file.strip_prefix(root().join("src")).unwrap(), &text)
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn assert_none(breaches: &[String]) {
    assert!(
        breaches.is_empty(),
        "the house plan is broken:\n{}",
        breaches.join("\n")
    );
}

#[test]
fn modules_import_only_what_stands_above_them() {
    let sources = sources();
    assert!(
        sources.len() >= 5,
        "only {} source files were found",
        sources.len()
    );
    assert_none(
        &sources
            .iter()
            .flat_map(rules::import_breaches)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn a_library_is_known_to_its_own_module_only() {
    assert_none(
        &sources()
            .iter()
            .flat_map(rules::fence_breaches)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn no_source_names_a_network_socket() {
    assert_none(
        &sources()
            .iter()
            .flat_map(rules::network_breaches)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn what_is_said_to_be_pure_does_no_io() {
    assert_none(
        &sources()
            .iter()
            .flat_map(rules::purity_breaches)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn lib_rs_lists_the_modules_in_the_order_in_which_they_build_on_each_other() {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let listed = mentions::declared_modules(&text);
    assert!(!listed.is_empty());
    assert_none(&rules::order_breaches(&listed));
}

#[test]
fn no_crate_of_the_tree_can_open_a_connection() {
    let banned = rules::banned_crates(&fs::read_to_string(root().join("deny.toml")).unwrap());
    let locked = rules::locked_crates(&fs::read_to_string(root().join("Cargo.lock")).unwrap());
    assert!(
        banned.iter().any(|name| name == "reqwest"),
        "deny.toml bans nothing"
    );
    assert!(
        locked.iter().any(|name| name == "age"),
        "Cargo.lock was not understood"
    );
    assert_none(&rules::ban_breaches(&locked, &banned));
}

/// Made-up files that break a rule, and near misses that do not.
mod controls {
    use std::path::Path;

    use super::mentions::{self, Source};
    use super::rules;

    fn source(path: &str, text: &str) -> Source {
        Source::read(Path::new(path), text)
    }

    fn imports(path: &str, text: &str) -> usize {
        rules::import_breaches(&source(path, text)).len()
    }

    fn fences(path: &str, text: &str) -> usize {
        rules::fence_breaches(&source(path, text)).len()
    }

    #[test]
    fn an_import_from_below_is_found_however_it_is_written() {
        assert_eq!(imports("search/query.rs", "use crate::tui::Model;"), 1);
        assert_eq!(
            imports(
                "search/query.rs",
                "pub(crate) use crate::{error::Exit, tui};"
            ),
            1
        );
        assert_eq!(
            imports(
                "search/query.rs",
                "use crate::{vault::{Vault, tui}, worker::W};"
            ),
            1
        );
        assert_eq!(
            imports("search/query.rs", "fn f() { crate::worker::run() }"),
            1
        );
        assert_eq!(imports("search/query.rs", "use super::super::worker;"), 1);
        assert_eq!(imports("search/mod.rs", "use super::{worker, vault};"), 1);
        assert_eq!(
            imports("search.rs", "mod tests { use super::super::worker::Job; }"),
            1
        );
        assert_eq!(imports("command/list.rs", "use crate /* why */ :: tui;"), 1);
    }

    #[test]
    fn an_import_from_above_is_fine() {
        assert_eq!(
            imports("search/query.rs", "use crate::{recording::Card, vault};"),
            0
        );
        assert_eq!(
            imports(
                "search/query.rs",
                "use crate::search::rank; use super::worker;"
            ),
            0
        );
        assert_eq!(
            imports("search/mod.rs", "mod tests { use super::worker; }"),
            0
        );
        assert_eq!(
            imports("search/mod.rs", "use crate::{vault as tui, audio as cli};"),
            0
        );
        assert_eq!(imports("main.rs", "use voxvault::{cli, tui};"), 0);
    }

    #[test]
    fn sealing_and_sound_never_see_each_other() {
        assert_eq!(imports("audio/mod.rs", "use crate::crypto::Key;"), 1);
        assert_eq!(imports("crypto/mod.rs", "use crate::audio::Ring;"), 1);
    }

    #[test]
    fn a_module_without_a_place_in_the_plan_is_found() {
        assert_eq!(imports("helpers.rs", ""), 1);
        assert_eq!(imports("helpers/strings.rs", ""), 1);
    }

    #[test]
    fn words_in_comments_and_strings_are_no_imports() {
        let text = r##"
            //! Not crate::tui, and not age::Encryptor.
            /* crate::tui /* redb::Database */ cpal::Host */
            const A: &str = "crate::tui redb::Database \" clap::Parser";
            const B: &str = r#"crate::tui "redb::Database""#;
            const C: (char, char) = ('"', '\'');
            fn long<'a>(x: &'a str) -> &'a str { x }
        "##;
        assert_eq!(imports("search/query.rs", text), 0);
        assert_eq!(fences("search/query.rs", text), 0);
        // The same words after them count: the reader did not lose its place.
        assert_eq!(
            imports("search/query.rs", &format!("{text} use crate::tui;")),
            1
        );
    }

    #[test]
    fn a_library_outside_its_module_is_found() {
        assert_eq!(fences("vault/bag.rs", "use age::Encryptor;"), 1);
        assert_eq!(
            fences(
                "command/list.rs",
                "fn f() -> Result<(), redb::Error> { todo!() }"
            ),
            1
        );
        assert_eq!(fences("tui/mod.rs", "use ::cpal::traits::HostTrait;"), 1);
        assert_eq!(fences("command/list.rs", "use {std::fs, clap::Args};"), 1);
        assert_eq!(fences("worker/mod.rs", "use whisper_rs as speech;"), 1);
        assert_eq!(fences("cli.rs", "#[derive(crossterm::X)] struct S;"), 1);
    }

    #[test]
    fn a_library_inside_its_module_and_its_namesakes_are_fine() {
        assert_eq!(fences("crypto/seal.rs", "use age::Encryptor;"), 0);
        assert_eq!(fences("backup/write.rs", "use age::Encryptor;"), 0);
        assert_eq!(
            fences(
                "vault/retention.rs",
                "let age = now - made; use super::age::Age;"
            ),
            0
        );
        assert_eq!(
            fences("vault/retention.rs", "use crate::vault::age; mod age;"),
            0
        );
    }

    #[test]
    fn sockets_and_impurity_are_found() {
        let network = |text| rules::network_breaches(&source("worker/mod.rs", text)).len();
        assert_eq!(network("use std::net::TcpStream;"), 2);
        assert_eq!(network("use std::{fs, net::IpAddr};"), 1);
        assert_eq!(network("use std::os::unix::net::UnixStream;"), 0);

        let purity = |path, text| rules::purity_breaches(&source(path, text)).len();
        assert_eq!(purity("search/mod.rs", "use std::fs;"), 1);
        assert_eq!(purity("recording.rs", "use std::{env, fmt};"), 1);
        assert_eq!(
            purity("search/mod.rs", "use std::collections::BTreeMap;"),
            0
        );
        assert_eq!(purity("vault/mod.rs", "use std::fs;"), 0);
    }

    #[test]
    fn a_module_listed_out_of_order_is_found() {
        let listed = mentions::declared_modules("pub mod vault; // mod tui;\nmod error;");
        assert_eq!(listed, ["vault", "error"]);
        assert_eq!(rules::order_breaches(&listed).len(), 1);
    }

    #[test]
    fn a_banned_crate_in_the_lock_file_is_found() {
        let banned = rules::banned_crates("[bans]\ndeny = [{ crate = \"ureq\", reason = \"\" }]");
        let locked = rules::locked_crates("[[package]]\nname = \"ureq\"\nversion = \"3.0.0\"\n");
        assert_eq!(rules::ban_breaches(&locked, &banned).len(), 1);
    }
}

/// Who rotates the keys has to anchor the log, and does so in one place.
#[test]
fn nobody_rotates_the_keys_past_the_one_who_anchors_the_log() {
    let mut files = Vec::new();
    collect(&root().join("src/vault"), &mut files);
    let rotates = |file: &PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        ["ring.rotate(", ".rotate_to(", "ring.change_passphrase("]
            .iter()
            .any(|call| text.contains(call))
    };
    let is_test = |file: &PathBuf| file.to_string_lossy().contains("tests");
    let of_keys = root().join("src/vault/keys");
    let mut callers: Vec<PathBuf> = files.into_iter().filter(rotates).collect();
    callers.retain(|file| !is_test(file) && !file.starts_with(&of_keys));
    assert_eq!(callers, [root().join("src/vault/session.rs")]);
}
