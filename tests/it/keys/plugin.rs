//! A way in that a plugin of age opens.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::{key_list, pair};
use crate::support::prepared::quick_home;

/// A plugin of age: it wraps a file key as it is, and says something first.
const PLUGIN: &str = r#"#!/bin/sh
tell() {
    printf -- '-> msg\n%s\n' "$(printf 'touch \033[31mthe key' | base64 | tr -d '=')"
    read -r ok; read -r empty
}
case "$1" in
--age-plugin=recipient-v1)
    while read -r line; do
        case "$line" in
        "-> wrap-file-key"*) read -r key ;;
        "-> done"*) read -r empty; break ;;
        esac
    done
    printf -- '-> recipient-stanza 0 voxtest\n%s\n' "$key"
    read -r ok; read -r empty ;;
--age-plugin=identity-v1)
    while read -r line; do
        case "$line" in
        "-> recipient-stanza 0 voxtest"*) read -r key ;;
        "-> done"*) read -r empty; break ;;
        esac
    done
    tell
    if [ -n "$key" ]; then
        printf -- '-> file-key 0\n%s\n' "$key"
        read -r ok; read -r empty
    fi ;;
esac
printf -- '-> done\n\n'
"#;
const PLUGIN_RECIPIENT: &str = "age1voxtest1w3jhxapqddjhjuuujrw";
const PLUGIN_IDENTITY: &str = "AGE-PLUGIN-VOXTEST-1W3JHXAPQDDJHJYD0PZF";

#[test]
fn a_plugin_opens_the_vault_and_is_missed_where_it_is_not() {
    let home = quick_home();
    fs::create_dir(home.path("bin")).unwrap();
    let script = home.write("bin/age-plugin-voxtest", PLUGIN.as_bytes());
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    home.write(
        "hardware.txt",
        format!("# a test\n{PLUGIN_IDENTITY}\n").as_bytes(),
    );
    let path = || -> OsString {
        let mut folders = vec![home.path("bin")];
        let usual = std::env::var_os("PATH").unwrap_or_default();
        folders.extend(std::env::split_paths(&usual).collect::<Vec<PathBuf>>());
        std::env::join_paths(folders).unwrap()
    };
    let add = ["key", "add", "--recipient", PLUGIN_RECIPIENT];
    let said = home.voxvault(add).run().ended_with(3).stderr;
    assert!(
        said.contains("age-plugin-voxtest is not on the search path"),
        "{said}"
    );
    home.voxvault(add).env("PATH", path()).run().ok();
    assert_eq!(
        key_list(&home),
        [pair("passphrase", "passphrase"), pair("plugin", "plugin")]
    );
    let list = || {
        home.voxvault(["list", "--identity", "hardware.txt"])
            .locked()
    };
    let listed = list().env("PATH", path()).run().ok();
    // What it says is shown, and can't do anything to a terminal.
    assert!(
        listed.stderr.contains("touch [31mthe key"),
        "{}",
        listed.stderr
    );
    let said = list().run().ended_with(3).stderr;
    assert!(
        said.contains("age-plugin-voxtest is not on the search path"),
        "{said}"
    );

    // A new master key is sealed by the plugin again, or without it.
    let said = home.voxvault(["key", "rotate"]).run().ended_with(3).stderr;
    assert!(said.contains("age-plugin-voxtest"), "{said}");
    home.voxvault(["key", "rotate"])
        .env("PATH", path())
        .run()
        .ok();
    list().env("PATH", path()).run().ok();
    home.voxvault(["key", "rotate", "--drop", "plugin"])
        .run()
        .ok();
    list().env("PATH", path()).run().ended_with(3);
}
