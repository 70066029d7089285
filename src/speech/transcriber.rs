//! Turns a recording into a transcript.
//!
//! Sound is pulled in as it is needed and given up as soon as it is
//! transcribed, so that memory does not grow with the recording. Clips of some
//! seconds are heard as a whole; of longer recordings Whisper sees only where
//! somebody speaks. The caller's thread pulls, cuts, tells how far things are
//! and watches for a wish to stop; workers, which end with the recording, run
//! Whisper.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::Failure;
use crate::recording::Moment;
use crate::transcript::{Segment, Transcript};

use super::detect::{SPEECH_OFF, SPEECH_RATE_HZ, VoiceDetector};
use super::effort::Effort;
use super::engine::{Ear, Engine, Manner, Settings};
use super::language::{ENGLISH, Language, UNDETERMINED};
use super::pieces::{Cutter, Piece};
use super::queue::{Company, Queue, Standing, Taken};
use super::words::{self, Place};
use super::{Error, Model};

/// Up to here a recording is heard as a whole: 11.5 s, for clips of 11 s whose
/// resampling left a tail.
const LONGEST_CLIP: usize = SPEECH_RATE_HZ as usize * 23 / 2;
/// A language is listened for in the longest piece of the first 30 s of speech.
const LANGUAGE_SAMPLES: usize = SPEECH_RATE_HZ as usize * 30;
/// How often a wish to stop is looked for while the workers work.
const PATIENCE: Duration = Duration::from_millis(50);

/// Where sound comes from: appends the next samples, mono f32 in -1 to 1 at
/// 16 kHz, about a second at a time, and says whether more may come.
pub type SoundSource<'a> = &'a mut dyn FnMut(&mut Vec<f32>) -> Result<bool, Failure>;

/// What the caller decides about one recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The language that is spoken.
    pub language: Language,
    /// When the transcript is made, by the caller's clock.
    pub made_at: Moment,
}

/// Stops a transcription and hears how far it is. Called from the thread that
/// called [`Transcriber::transcribe`], several times a second.
///
/// A wish to stop is obeyed between two runs of the network: whisper.cpp 1.8.3
/// looks for it only there. The longest such run, the encoder over 15 s of
/// sound, takes a fraction of a second with the small models and seconds with
/// the large ones.
pub trait Control {
    /// Whether to stop.
    fn cancelled(&self) -> bool;

    /// Seconds of the recording that are done, and its length as far as it is
    /// known. The first never falls.
    fn progress(&self, done_s: f64, total_s: f64);
}

/// A loaded speech model.
pub struct Transcriber {
    model: Model,
    engine: Engine,
    ears: Vec<Ear>,
    effort: Effort,
}

impl Transcriber {
    /// Loads a model. It is checked first: whisper.cpp would abort the process
    /// on some files.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the file is not what was imported.
    pub fn load(model: &Model, effort: Effort) -> Result<Self, Error> {
        model.check()?;
        let damaged = |fault| Error::Damaged {
            name: model.name.clone(),
            fault,
        };
        let engine = Engine::load(&model.path).map_err(damaged)?;
        Ok(Self {
            model: model.clone(),
            engine,
            ears: Vec::new(),
            effort,
        })
    }

    /// The model that was loaded.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Transcribes a recording. `total_s` is its length in seconds where it is
    /// known beforehand.
    ///
    /// Where nobody speaks the transcript has no segments.
    ///
    /// # Errors
    /// [`Error::Language`] for a language that the model does not understand,
    /// [`Error::Sound`] with the source's failure, [`Error::Cancelled`],
    /// [`Error::Whisper`].
    pub fn transcribe(
        &mut self,
        source: SoundSource<'_>,
        total_s: Option<f64>,
        options: &Options,
        control: &dyn Control,
    ) -> Result<Transcript, Error> {
        let known = self.known_language(&options.language)?;
        let mut feeder = Feeder {
            source,
            control,
            total_s,
            pulled: 0,
            done: 0,
        };
        let (beginning, more) = feeder.beginning()?;
        let (segments, language, settings) = if more {
            let job = Job::new(Manner::Piece, known);
            self.run(&job, &mut feeder, |queue, feeder| {
                feeder.feed(beginning, queue, &job)
            })
            .map(|segments| (segments, job.language(), self.describe("detected speech")))?
        } else {
            let job = Job::new(Manner::Clip, known);
            self.run(&job, &mut feeder, |queue, _| {
                if may_be_speech(&beginning) {
                    queue.put(Piece {
                        start: 0,
                        sound: beginning,
                    });
                }
                Ok(())
            })
            .map(|segments| (segments, job.language(), self.describe("whole clip")))?
        };
        Ok(Transcript {
            model: self.model.name.clone(),
            settings,
            language: language.unwrap_or_else(|| UNDETERMINED.to_owned()),
            made_at: options.made_at,
            segments,
        })
    }

    /// The language, unless it must be listened for.
    fn known_language(&self, language: &Language) -> Result<Option<String>, Error> {
        let code = match language {
            Language::Auto if self.model.multilingual => return Ok(None),
            Language::Auto => ENGLISH,
            Language::Code(code) => code,
        };
        let id = whisper_language_id(code);
        match id {
            None => Err(Error::UnknownLanguage {
                code: code.to_owned(),
            }),
            Some(id) if id < self.engine.languages() => Ok(Some(code.to_owned())),
            Some(_) => Err(Error::Language {
                code: code.to_owned(),
                model: self.model.name.clone(),
            }),
        }
    }

    fn describe(&self, what: &str) -> String {
        let Effort { workers, threads } = self.effort;
        format!(
            "whisper.cpp {}, greedy, {what}, {workers} × {threads} threads",
            whisper_rs::get_whisper_version()
        )
    }

    /// Runs the workers while `feed` fills the queue.
    fn run(
        &mut self,
        job: &Job,
        feeder: &mut Feeder<'_>,
        feed: impl FnOnce(&Queue<Vec<Segment>>, &mut Feeder<'_>) -> Result<(), Error>,
    ) -> Result<Vec<Segment>, Error> {
        let workers = match job.manner {
            Manner::Clip => 1,
            Manner::Piece => self.effort.workers.get(),
        };
        while self.ears.len() < workers {
            self.ears.push(self.engine.ear()?);
        }
        let queue = Queue::new();
        let (engine, effort) = (&self.engine, self.effort);
        let fed = thread::scope(|scope| {
            let mut fed = Ok(());
            for (number, ear) in self.ears.iter_mut().take(workers).enumerate() {
                let queue = &queue;
                let started = thread::Builder::new()
                    .name(format!("whisper-{number}"))
                    .spawn_scoped(scope, move || work(ear, engine, effort, queue, job));
                if let Err(error) = started {
                    fed = Err(Error::Whisper {
                        why: format!("no thread: {error}"),
                    });
                }
            }
            let fed = fed.and_then(|()| feed(&queue, feeder)).and_then(|()| {
                queue.close();
                feeder.wait(&queue, Standing::Done)
            });
            if fed.is_err() {
                job.stop.store(true, Ordering::Relaxed);
                queue.abandon();
            }
            fed
        });
        let results = queue.into_results();
        // When somebody wished to stop, that is why a worker failed.
        fed?;
        feeder.finish();
        Ok(results?.into_iter().flatten().collect())
    }
}

fn whisper_language_id(code: &str) -> Option<i32> {
    code.bytes()
        .all(|byte| byte.is_ascii_lowercase())
        .then(|| whisper_rs::get_lang_id(code))?
}

/// Whether Whisper should hear a clip at all. Gentler than what cuts long
/// recordings: a single frame will do.
fn may_be_speech(clip: &[f32]) -> bool {
    let mut speech = false;
    VoiceDetector::default().push(clip, &mut |score| speech |= score >= SPEECH_OFF);
    speech
}

/// What the workers have in common for one recording.
struct Job {
    manner: Manner,
    stop: Arc<AtomicBool>,
    language: Mutex<Option<String>>,
}

impl Job {
    fn new(manner: Manner, language: Option<String>) -> Self {
        Self {
            manner,
            stop: Arc::new(AtomicBool::new(false)),
            language: Mutex::new(language),
        }
    }

    fn language(&self) -> Option<String> {
        self.language
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The language, listened for in this sound if it is not known yet.
    fn language_of(&self, ear: &mut Ear, sound: &[f32], threads: usize) -> Result<String, Error> {
        // The others wait: they can't begin without it.
        let mut language = self.language.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*language {
            return Ok(known.clone());
        }
        let heard = ear.language(sound, threads)?;
        *language = Some(heard.clone());
        Ok(heard)
    }
}

/// A worker's life: piece after piece until none comes any more.
fn work(ear: &mut Ear, engine: &Engine, effort: Effort, queue: &Queue<Vec<Segment>>, job: &Job) {
    let mut settings: Option<(String, Settings)> = None;
    while let Some(taken) = queue.take() {
        let result = transcribe_piece(ear, engine, effort, job, &taken, &mut settings);
        let failed = result.is_err();
        taken.finish(result);
        if failed {
            return;
        }
    }
}

fn transcribe_piece(
    ear: &mut Ear,
    engine: &Engine,
    effort: Effort,
    job: &Job,
    taken: &Taken<'_, Vec<Segment>>,
    settings: &mut Option<(String, Settings)>,
) -> Result<Vec<Segment>, Error> {
    let sound = &taken.piece.sound;
    let threads = match (job.manner, taken.company) {
        (Manner::Clip, _) | (_, Company::Alone) => effort.threads_alone(),
        (Manner::Piece, Company::Shared) => effort.threads_shared(),
    };
    let (language, settings) = match settings {
        Some(settings) => &*settings,
        none => {
            let language = job.language_of(ear, sound, threads)?;
            let fresh = Settings::new(&language, &job.stop);
            &*none.insert((language, fresh))
        }
    };
    let heard = ear.hear(engine, settings, sound, job.manner, threads)?;
    let place = Place {
        start_ms: milliseconds(taken.piece.start),
        end_ms: milliseconds(taken.piece.start + sound.len() as u64),
    };
    Ok(words::segments(&heard, place, language))
}

fn milliseconds(samples: u64) -> u32 {
    u32::try_from(samples * 1000 / u64::from(SPEECH_RATE_HZ)).unwrap_or(u32::MAX)
}

/// The caller's side: pulls sound, tells how far things are.
struct Feeder<'a> {
    source: SoundSource<'a>,
    control: &'a dyn Control,
    total_s: Option<f64>,
    /// Samples pulled so far.
    pulled: u64,
    /// Samples told as done so far.
    done: u64,
}

impl Feeder<'_> {
    /// Appends the next samples; answers whether more may come.
    fn pull(&mut self, into: &mut Vec<f32>) -> Result<bool, Error> {
        if self.control.cancelled() {
            return Err(Error::Cancelled);
        }
        let before = into.len();
        let more = (self.source)(into).map_err(Error::Sound)?;
        self.pulled += into.len().saturating_sub(before) as u64;
        Ok(more)
    }

    /// Pulls more than a clip, or all there is.
    fn beginning(&mut self) -> Result<(Vec<f32>, bool), Error> {
        let mut beginning = Vec::new();
        while beginning.len() <= LONGEST_CLIP {
            if !self.pull(&mut beginning)? {
                // The last pull may have crossed the line.
                let more = beginning.len() > LONGEST_CLIP;
                return Ok((beginning, more));
            }
        }
        Ok((beginning, true))
    }

    /// Cuts all that comes into pieces and puts them into the queue.
    fn feed<T>(&mut self, mut sound: Vec<f32>, queue: &Queue<T>, job: &Job) -> Result<(), Error> {
        let mut cutter = Cutter::default();
        let mut pieces = Vec::new();
        let mut more = true;
        // While the language is not known, pieces are held back, so that it
        // is listened for in the longest of them.
        let mut held = if job.language().is_some() {
            None
        } else {
            Some(0)
        };
        loop {
            cutter.push(&sound, &mut pieces);
            sound.clear();
            if !more {
                cutter.finish(&mut pieces);
            }
            if let Some(samples) = &mut held {
                *samples = pieces.iter().map(|piece: &Piece| piece.sound.len()).sum();
                if *samples < LANGUAGE_SAMPLES && more {
                    more = self.pull(&mut sound)?;
                    continue;
                }
                held = None;
            }
            for piece in pieces.drain(..) {
                self.wait(queue, Standing::Room)?;
                queue.put(piece);
            }
            if !more {
                return Ok(());
            }
            self.wait(queue, Standing::Room)?;
            more = self.pull(&mut sound)?;
        }
    }

    /// Waits until the queue stands as wanted.
    fn wait<T>(&mut self, queue: &Queue<T>, wanted: Standing) -> Result<(), Error> {
        loop {
            if self.control.cancelled() {
                return Err(Error::Cancelled);
            }
            let standing = queue.standing(PATIENCE);
            self.tell(self.pulled.saturating_sub(queue.outstanding() as u64));
            // A failed worker's error is among the results.
            if standing == wanted || standing == Standing::Failed {
                return Ok(());
            }
        }
    }

    fn tell(&mut self, done: u64) {
        self.done = self.done.max(done);
        let done_s = seconds(self.done);
        let total_s = self.total_s.unwrap_or(0.0).max(seconds(self.pulled));
        self.control.progress(done_s, total_s);
    }

    /// All is done, and now the length is known.
    fn finish(&mut self) {
        self.total_s = None;
        self.tell(self.pulled);
    }
}

fn seconds(samples: u64) -> f64 {
    samples as f64 / f64::from(SPEECH_RATE_HZ)
}
