//! One segment of a folder, given by itself on another machine.

use super::*;

#[test]
fn what_was_shredded_later_stays_shredded_where_one_segment_is_given() {
    let mut owner = Owner::new();
    let gone = owner.record("gone", 1);
    let kept = owner.record("kept", 1);
    let mute = owner.record("mute", 1);
    owner.merge();
    owner.back_up();
    owner.shred(&[gone]);
    let mute_text = mute.to_string();
    let audio_only = ["shred", &mute_text, "--audio-only", "--yes"];
    owner.home.voxvault(audio_only).run().ok();
    owner.back_up();
    let run = |args: &[&str]| {
        let all = ["--vault", "other", "restore"].iter().chain(args);
        owner.home.voxvault(all.copied()).run().ok()
    };
    let dir = owner.other_vault("other");
    let done = run(&["backup/0001.tar.age", "--json"]).json();
    let mut back = ids(&done["restored"]);
    back.sort_unstable();
    let mut due = [kept, mute];
    due.sort_unstable();
    assert_eq!((back, &done["destroyed"]), (due.to_vec(), &1.into()));
    assert_eq!(done["notes"], serde_json::json!([]));
    let open = library::unlock(&dir, crate::support::PASSPHRASE);
    assert!(open.sound(mute).is_err() && open.sound(kept).is_ok());
    drop(open);
    // Away from the others nothing says so, and that is told.
    fs::create_dir(owner.home.path("alone")).unwrap();
    for name in ["0001.tar.age", "passphrase.age"] {
        let from = owner.home.path("backup").join(name);
        fs::copy(from, owner.home.path("alone").join(name)).unwrap();
    }
    owner.other_vault("other");
    let told = run(&["alone/0001.tar.age"]);
    let what = "nothing newer of its backup that can be read";
    assert!(told.stderr.contains(what), "{told}");
    assert!(told.text().contains("restored 3 recordings"), "{told}");
}
