//! Finds what was said in a vault, through the library.
//!
//!     echo demonstration |
//!         cargo run --release --example search_vault -- demo-vault heater
//!
//! where `voxvault demo demo-vault` made the vault. The passphrase is the first
//! line of standard input; the rest of the line is the query, as in `voxvault
//! search`: words, "phrases", -exclusions, filters.

#![allow(clippy::print_stdout, reason = "an example says what it found")]

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::path::PathBuf;

use jiff::Zoned;
use voxvault::crypto::Passphrase;
use voxvault::search::{Index, Query};
use voxvault::vault::Vault;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(dir), words) = (arguments.next(), arguments.collect::<Vec<_>>()) else {
        return Err("usage: search_vault VAULT_DIR QUERY… < PASSPHRASE".into());
    };
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let passphrase = Passphrase::new(line.trim_end_matches('\n').to_owned());

    // Open says what can be said without a key; unlock takes the key.
    let vault = Vault::open(&PathBuf::from(dir))?.unlock(&passphrase)?;
    // What was recorded while it was locked comes in now.
    vault.merge()?;

    // The index is built anew each time and lives in memory only: there is no
    // file in which a word could be found. It is fast enough for that.
    let mut transcripts = HashMap::new();
    vault.newest_transcripts(&mut |id, _version, transcript| {
        transcripts.insert(id, transcript);
    })?;
    let recordings = vault.recordings()?;
    let mut index = Index::new();
    for recording in &recordings {
        index.insert(recording, transcripts.get(&recording.id));
    }

    let hits = index.search(&Query::parse(&words.join(" ")), &Zoned::now(), 10);
    println!("{} of {} recordings", hits.total, recordings.len());
    for hit in &hits.hits {
        let found = recordings.iter().find(|recording| recording.id == hit.id);
        let title = found.map_or("", |recording| recording.card.title.as_str());
        println!("{}  {title}", hit.id.short());
        for moment in &hit.moments {
            println!("  {:>6.1} s  {}", moment.start_s, moment.text);
        }
    }
    Ok(())
}
