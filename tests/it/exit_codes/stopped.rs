//! A command that is told to end, or that waits for a pipe.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;

use super::home_with_tone;
use crate::support::eventually;
use crate::support::sound::Pcm;

#[test]
fn a_verify_that_would_take_long_ends_at_once_when_it_is_told_to() {
    let home = home_with_tone();
    let endless = home.vault().join(format!("inbox/{}.rec", "0".repeat(32)));
    let file = fs::File::create(&endless).unwrap();
    file.set_len(1 << 40).unwrap();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let running = home.voxvault(["verify"]).spawn();
        let io = format!("/proc/{}/io", running.pid());
        eventually("it reads", Duration::from_secs(60), || {
            let read = fs::read_to_string(&io).ok()?;
            let read = read.strip_prefix("rchar: ")?.lines().next()?;
            (read.parse::<u64>().ok()? > 64 << 20).then_some(())
        });
        running.signal(signal);
        let ended = running.wait_for(Duration::from_secs(60));
        assert_eq!(ended.code(), Some(130), "{ended}");
    }
    fs::remove_file(endless).unwrap();
    home.voxvault(["verify"]).run().ok();
}

#[test]
fn whatever_waits_for_a_pipe_in_vain_ends_when_it_is_told_to_more_than_once() {
    let home = home_with_tone();
    let pipe = home.path("pipe.wav");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from(0o600)).unwrap();
    for args in [["import", "pipe.wav"], ["restore", "-"]] {
        let mut running = home.voxvault(args).spawn_with_open_stdin();
        let process = format!("/proc/{}", running.pid());
        let sleeps = || {
            let stat = fs::read_to_string(format!("{process}/stat")).unwrap();
            stat.contains(") S ") && fs::read_dir(format!("{process}/task")).unwrap().count() > 1
        };
        // It listens for signals, and does nothing for a while.
        eventually("it waits for a pipe", Duration::from_secs(60), || {
            let calm = (0..20).all(|_| {
                std::thread::sleep(Duration::from_millis(20));
                sleeps()
            });
            calm.then_some(())
        });
        eventually("it ends", Duration::from_secs(60), || {
            running.signal(Signal::TERM);
            std::thread::sleep(Duration::from_millis(400));
            (!running.is_running()).then_some(())
        });
        assert_eq!(running.wait().code(), Some(130), "{args:?}");
    }
    home.voxvault(["verify"]).run().ok();
}

#[test]
fn what_an_import_from_a_pipe_waits_for_is_told_and_then_it_is_taken() {
    let home = home_with_tone();
    home.write("sound.wav", &Pcm::tone(16_000, 2.0).wav());
    let script = r#"mkfifo pipe.wav && { "$@" 2>told & } &&
        until grep -q "pipe.wav is a pipe: waiting for somebody to write" told; do sleep 0.1; done &&
        cat sound.wav > pipe.wav && wait $!"#;
    let import = home.voxvault(["import", "pipe.wav", "--no-transcribe"]);
    import.under("sh", ["-c", script, "sh"]).run().ok();
    assert_eq!(home.list().len(), 2);
    // Of one that is written to at once nothing is told.
    let script = r#"cat sound.wav > pipe.wav & "$@"; ended=$?; wait; exit $ended"#;
    let import = home.voxvault(["import", "pipe.wav", "--no-transcribe", "--title", "again"]);
    let ended = import.under("sh", ["-c", script, "sh"]).run().ok();
    assert!(!ended.stderr.contains("waiting"), "{ended}");
}
