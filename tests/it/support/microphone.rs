//! A microphone that exists for one test: a private PulseAudio with a sink that
//! leads nowhere, whose monitor is the only source. What is played into the
//! sink is what the microphone hears. ALSA reaches it through its plug-in, as
//! it does on a desktop.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Home, can_require, eventually, require_tool};

/// ALSA's default device becomes whatever PulseAudio offers.
const ASOUNDRC: &str = "pcm.!default { type pulse }\nctl.!default { type pulse }\n";

/// Without `norewinds`, the monitor stalls for seconds when somebody records
/// with a latency under about 100 ms (measured with PulseAudio 16.1).
const NULL_SINK: &str = "module-null-sink sink_name=vm rate=48000 channels=2 norewinds=1";

/// As it is without that, a sink to which nobody listens is two seconds ahead, and its
/// monitor gives nothing before that time has come: like a device that wakes up slowly.
const SLOW_SINK: &str = "module-null-sink sink_name=vm rate=48000 channels=2";

/// A virtual microphone; gone when it is dropped.
pub(crate) struct Microphone {
    server: Child,
    sink: &'static str,
    /// What the server gets, and what its clients get.
    home: Vec<(OsString, OsString)>,
    environment: Vec<(OsString, OsString)>,
}

impl Microphone {
    /// Plugs it into this home. `None`, after saying so, where the machine
    /// lacks what it takes.
    pub(crate) fn plug_into(home: &Home) -> Option<Self> {
        Self::of(home, NULL_SINK)
    }

    /// The same; it takes two seconds until it gives its first sound.
    pub(crate) fn that_wakes_up_slowly(home: &Home) -> Option<Self> {
        Self::of(home, SLOW_SINK)
    }

    fn of(home: &Home, sink: &'static str) -> Option<Self> {
        let tools = require_tool("pulseaudio") && require_tool("paplay") && require_alsa_plugin();
        if !tools {
            return None;
        }
        home.write(".asoundrc", ASOUNDRC.as_bytes());
        let socket = home.path("run/pulse/native");
        let mut environment = home.environment();
        environment.push((
            "PULSE_SERVER".into(),
            format!("unix:{}", socket.display()).into(),
        ));
        environment.push(("PULSE_SOURCE".into(), "vm.monitor".into()));
        environment.push(("PULSE_SINK".into(), "vm".into()));

        let home = home.environment();
        let microphone = Self {
            server: serve(&home, sink),
            sink,
            home,
            environment,
        };
        microphone.wait_until_there();
        Some(microphone)
    }

    fn wait_until_there(&self) {
        eventually("the sound server answers", Duration::from_secs(20), || {
            self.is_there().then_some(())
        });
    }

    fn is_there(&self) -> bool {
        let mut info = self.command("pactl");
        let answer = info.args(["list", "short", "sources"]).output().unwrap();
        String::from_utf8_lossy(&answer.stdout).contains("vm.monitor")
    }

    /// Somebody has opened it.
    pub(crate) fn wait_until_somebody_listens(&self) {
        eventually("somebody listens", Duration::from_secs(20), || {
            let mut list = self.command("pactl");
            let list = list.args(["list", "short", "source-outputs"]);
            (!list.output().unwrap().stdout.is_empty()).then_some(())
        });
    }

    fn pactl(&self, args: &[&str]) {
        let output = self.command("pactl").args(args).output().unwrap();
        assert!(output.status.success(), "pactl {args:?}: {output:?}");
    }

    /// Pulls it out; the sound server stays.
    pub(crate) fn pull(&self) {
        self.pactl(&["unload-module", "module-null-sink"]);
        assert!(!self.is_there());
    }

    /// Plugs one in, with this rate and so many channels.
    pub(crate) fn plug_in(&self, rate_hz: u32, channels: u16) {
        let rate = format!("rate={rate_hz}");
        let channels = format!("channels={channels}");
        self.pactl(&[
            "load-module",
            "module-null-sink",
            "sink_name=vm",
            &rate,
            &channels,
            "norewinds=1",
        ]);
        self.wait_until_there();
    }

    /// It stays, and gives nothing any more.
    pub(crate) fn fall_asleep(&self) {
        self.pactl(&["suspend-sink", "vm", "1"]);
    }

    /// It gives sound again.
    pub(crate) fn wake_up(&self) {
        self.pactl(&["suspend-sink", "vm", "0"]);
    }

    /// The sound server dies, as by a crash.
    pub(crate) fn kill_server(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// The sound server is started again.
    pub(crate) fn restart_server(&mut self) {
        self.server = serve(&self.home, self.sink);
        self.wait_until_there();
    }

    /// What a program needs to find it.
    pub(crate) fn environment(&self) -> Vec<(OsString, OsString)> {
        self.environment.clone()
    }

    /// Speaks a sound file (WAV, FLAC, Ogg) into it; returns when all is said.
    pub(crate) fn speak(&self, sound: &Path) {
        let mut player = self.command("paplay");
        let status = player.arg("--device=vm").arg(sound).status().unwrap();
        assert!(
            status.success(),
            "paplay {} ended with {status}",
            sound.display()
        );
    }

    /// What can be heard there while this is done, mono at 48 kHz: what it hears itself,
    /// and what is played into it. Needs `parec`.
    pub(crate) fn hear(&self, sound: &mut dyn FnMut()) -> Vec<i16> {
        let mut recorder = self
            .command("parec")
            .args(["--format=s16le", "--rate=48000", "--channels=1"])
            .arg("--latency-msec=50")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = recorder.stdout.take().unwrap();
        // It listens once the first sample came.
        let mut bytes = vec![0; 2];
        pipe.read_exact(&mut bytes).unwrap();
        let reader = std::thread::spawn(move || {
            pipe.read_to_end(&mut bytes).unwrap();
            bytes
        });
        sound();
        std::thread::sleep(Duration::from_millis(500));
        recorder.kill().unwrap();
        recorder.wait().unwrap();
        let bytes = reader.join().unwrap();
        let samples = bytes.as_chunks::<2>().0.iter();
        samples.map(|pair| i16::from_le_bytes(*pair)).collect()
    }

    /// Pulls the plug while somebody may still be listening.
    pub(crate) fn unplug(self) {}

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(self.environment.clone())
            .stdin(Stdio::null());
        command
    }
}

impl Drop for Microphone {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

/// Starts a sound server in the foreground, so that dropping the child ends it.
fn serve(home: &[(OsString, OsString)], sink: &str) -> Child {
    Command::new("pulseaudio")
        .args([
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--use-pid-file=no",
        ])
        .args(["--realtime=no", "--high-priority=no", "--disable-shm=yes"])
        .args(["-L", "module-native-protocol-unix"])
        .args(["-L", sink])
        .env_clear()
        .envs(home.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn require_alsa_plugin() -> bool {
    const PLUGIN: &str = "alsa-lib/libasound_module_pcm_pulse.so";
    let libraries = Path::new("/usr/lib")
        .read_dir()
        .into_iter()
        .flatten()
        .flatten();
    let there = libraries
        .map(|entry| entry.path())
        .any(|path| path.join(PLUGIN).exists())
        || Path::new("/usr/lib").join(PLUGIN).exists()
        || Path::new("/usr/lib64").join(PLUGIN).exists();
    can_require(there, "ALSA's PulseAudio plug-in is not installed")
}

/// Has a speech synthesiser say `text` into a WAV file in `home`. `None`, after
/// saying so, where there is none.
pub(crate) fn synthesise(home: &Home, name: &str, text: &str) -> Option<PathBuf> {
    if !require_tool("flite") {
        return None;
    }
    let file = home.path(name).with_extension("wav");
    let status = Command::new("flite")
        .args(["-voice", "slt", "-t", text, "-o"])
        .arg(&file)
        .status();
    assert!(status.unwrap().success(), "flite could not say {text:?}");
    Some(file)
}

#[test]
fn the_microphone_hears_what_is_spoken_and_nothing_else() {
    let home = Home::new();
    let Some(microphone) = Microphone::plug_into(&home) else {
        return;
    };
    let Some(said) = synthesise(&home, "said", "the landlord called about the heater") else {
        return;
    };
    if !require_tool("parec") {
        return;
    }
    let listen = |speak: &mut dyn FnMut()| {
        let heard = microphone.hear(speak);
        let peak = heard.iter().map(|sample| sample.unsigned_abs()).max();
        (heard.len(), peak.unwrap_or(0))
    };
    let (silent_samples, silent_peak) = listen(&mut || {});
    assert!(silent_samples > 0, "nothing was recorded at all");
    assert_eq!(silent_peak, 0, "silence was not silent");
    let (samples, peak) = listen(&mut || microphone.speak(&said));
    assert!(samples > 48_000, "only {samples} samples of two seconds");
    assert!(peak > 3_000, "the loudest sample was {peak}");
}

#[test]
fn an_unplugged_microphone_leaves_no_server_behind() {
    let home = Home::new();
    let Some(microphone) = Microphone::plug_into(&home) else {
        return;
    };
    let pid = microphone.server.id();
    microphone.unplug();
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}
