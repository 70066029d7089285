//! Finding what was said: text, query, filters, index, ranking, moments. Pure.
//!
//! Read in this order: [`text`] cuts words out of text and folds them;
//! [`query`] reads what was typed and [`filter`] the part of it that needs no
//! transcript; [`Index`] holds all recordings in memory and answers; `rank` says
//! which hit is better; [`hit`] finds the moments to show. Nothing here reads a
//! file, a clock or the store.

pub mod filter;
pub mod hit;
pub mod query;
pub mod text;

mod clip;
mod fuzzy;
mod index;
mod lexicon;
mod matching;
mod postings;
mod rank;

#[cfg(test)]
mod tests;

pub use filter::{Filter, FilterError, last_added};
pub use hit::{Hit, Hits, Moment};
pub use index::Index;
pub use query::Query;
