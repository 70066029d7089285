//! The transcriber beside the desk, and what it tells.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Desk, Job};
use crate::command::transcribe;
use crate::error::{Exit, Failure};
use crate::tui::engine::Answer;
use crate::vault::OpenVault;
use crate::worker::transcriber::{Event, Settings, Transcriber};

impl Desk {
    pub(super) fn start_transcriber(&mut self, open: Arc<OpenVault>) {
        let context = &self.shared.context;
        let language = match transcribe::language(&context.config.language) {
            Ok(language) => language,
            Err(failure) => {
                let place = context.paths.config_file.display();
                return self.shared.complain(failure.about(place));
            }
        };
        let settings = Settings {
            models: context.paths.models.clone(),
            language,
        };
        let (shared, back) = (self.shared.clone(), self.back.clone());
        let place = Mutex::new((0, 0));
        let listener = move |event| {
            let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Event::Started { position, of, .. } => {
                    *place = (position, of);
                    shared.tell(Answer::Transcribing {
                        position,
                        of,
                        percent: 0,
                    });
                }
                Event::Progress {
                    done_ms, total_ms, ..
                } => {
                    let percent = (done_ms * 100).checked_div(total_ms).unwrap_or(0).min(100);
                    let percent = u8::try_from(percent).unwrap_or(100);
                    shared.tell(Answer::Transcribing {
                        position: place.0,
                        of: place.1,
                        percent,
                    });
                }
                Event::Done { id, .. } | Event::Overtaken { id } => {
                    drop(back.send(Job::Transcribed(id)))
                }
                Event::Failed { id, failure } => {
                    shared.complain(failure);
                    drop(back.send(Job::Transcribed(id)));
                }
                Event::NoModel { failure } if failure.exit == Exit::Locked => {
                    shared.complain(failure);
                }
                // The recordings say that they wait; it is no failure.
                Event::NoModel { .. } | Event::Idle => shared.tell(Answer::TranscriberIdle),
            }
        };
        match Transcriber::start(open, settings, Box::new(listener)) {
            Ok(transcriber) => self.transcriber = Some(transcriber),
            Err(error) => {
                let why = error.to_string();
                self.shared
                    .complain(Failure::new(Exit::Failed, "can't transcribe", why));
            }
        }
    }
}
