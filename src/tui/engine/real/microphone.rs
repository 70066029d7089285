//! Starts and stops the recorder. Opening a microphone and sealing the end of
//! a recording take a moment, so a thread does both; all else is asked of the
//! running recorder directly.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::desk::Job;
use super::{Answer, Shared, spawn};
use crate::error::Failure;
use crate::tui::engine::RecorderStatus;
use crate::worker::recorder::{self, Options, Recorder};

/// How long the end of the program waits for the last segment to be sealed.
const SEAL_WITHIN: Duration = Duration::from_millis(900);

enum Order {
    Record(Option<String>),
    Stop,
    /// Stop, and say when it is done.
    End(Sender<()>),
}

/// The recorder's switch.
pub(super) struct Microphone {
    shared: Shared,
    orders: Sender<Order>,
    running: Running,
}

type Running = Arc<Mutex<Option<Recorder>>>;

fn lock(running: &Running) -> MutexGuard<'_, Option<Recorder>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Microphone {
    pub(super) fn start(shared: Shared, desk: Sender<Job>) -> std::io::Result<Self> {
        let (orders, todo) = channel();
        let running = Running::default();
        let control = Self {
            shared: Shared {
                _alive: None,
                ..shared.clone()
            },
            orders,
            running: Arc::clone(&running),
        };
        spawn("microphone", move || run(&shared, &desk, &running, &todo))?;
        Ok(control)
    }

    pub(super) fn record(&self, device: Option<String>) {
        let _ = self.orders.send(Order::Record(device));
    }

    pub(super) fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
    }

    /// Stops and waits, but not for long.
    pub(super) fn close(&self) {
        let (done, ended) = channel();
        if self.orders.send(Order::End(done)).is_ok() {
            let _ = ended.recv_timeout(SEAL_WITHIN);
        }
    }

    pub(super) fn look(&self) {
        let status = lock(&self.running).as_ref().map(Recorder::status);
        match status {
            // It ended by itself: no space, or its limit. Stopping says why.
            Some(status) if status.has_ended => self.stop(),
            Some(status) => self.shared.tell(Answer::Recorder(shown(status))),
            None => {}
        }
    }

    pub(super) fn pause(&self) {
        self.with(|recorder| recorder.pause());
    }

    pub(super) fn resume(&self) {
        self.with(|recorder| recorder.resume());
    }

    pub(super) fn mark(&self) {
        self.with(|recorder| recorder.mark());
    }

    pub(super) fn title(&self, title: String) {
        self.with(|recorder| recorder.set_title(title));
    }

    fn with(&self, act: impl FnOnce(&Recorder)) {
        if let Some(recorder) = lock(&self.running).as_ref() {
            act(recorder);
        }
    }
}

fn run(shared: &Shared, desk: &Sender<Job>, running: &Running, orders: &Receiver<Order>) {
    while let Ok(order) = orders.recv() {
        match order {
            Order::Record(device) => match record(shared, device) {
                Ok(recorder) => {
                    let status = recorder.status();
                    *lock(running) = Some(recorder);
                    shared.tell(Answer::Recorder(shown(status)));
                }
                Err(failure) => shared.tell(Answer::RecorderFailed(failure)),
            },
            Order::Stop => stop(shared, desk, running),
            Order::End(done) => {
                stop(shared, desk, running);
                let _ = done.send(());
                return;
            }
        }
    }
}

fn record(shared: &Shared, device: Option<String>) -> Result<Recorder, Failure> {
    let vault = shared.context.vault()?;
    let device = device.or_else(|| shared.context.config.device.clone());
    Recorder::start(
        &vault,
        Options {
            device,
            ..Options::default()
        },
        shared.context.moments(),
        None,
    )
}

fn stop(shared: &Shared, desk: &Sender<Job>, running: &Running) {
    let Some(recorder) = lock(running).take() else {
        return;
    };
    match recorder.stop() {
        Ok(recorded) => {
            let duration_s = recorded.duration.as_secs_f64();
            shared.tell(Answer::Recorded {
                duration_s,
                shortfall: recorded.shortfall,
            });
            let _ = desk.send(Job::Inbox);
        }
        Err(failure) => shared.tell(Answer::RecorderFailed(failure)),
    }
}

fn shown(status: recorder::Status) -> RecorderStatus {
    RecorderStatus {
        elapsed_s: status.elapsed_s,
        peak_dbfs: status.peak_dbfs,
        gap_s: status.gap_s,
        silent_s: status.silent_s,
        device: status.device,
        phase: status.phase,
        space_left_s: status.space_left.map(|left| left.as_secs()),
        markers: status.markers,
    }
}
