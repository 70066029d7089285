//! The table of the log: an entry's number leads to its frame.
//!
//! ```text
//! log    number 4    one frame
//! ```
//!
//! An entry is inserted where it is absent. What stands in its place and is none makes
//! way for one that was promised already, and is passed over by the next.

use redb::{ReadableTable, TableDefinition, TableError};

use super::rows::{Added, Reading, Writing};
use crate::vault::error::Result;
use crate::vault::store::Trouble;

pub(super) const LOG: TableDefinition<'_, &[u8; 4], &[u8]> = TableDefinition::new("log");

/// Hears of a row: its number, and what stands there.
pub(in crate::vault) type EachRow<'a> = &'a mut dyn FnMut(u32, &[u8]) -> Next;

/// Whether to go on to the next row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vault) enum Next {
    GoOn,
    Stop,
}

/// Rows of the log as a transaction sees them.
pub(in crate::vault) trait LogRows {
    /// Every row, the newest first, until `each` has had enough.
    fn log_from_end(&self, each: EachRow<'_>) -> Result<()>;

    /// One row.
    fn log_row(&self, number: u32) -> Result<Option<Vec<u8>>>;
}

impl Reading {
    /// Every row in order.
    pub(in crate::vault) fn each_log(&self, mut each: impl FnMut(u32, &[u8])) -> Result<()> {
        let Some(table) = self.log()? else {
            return Ok(());
        };
        for row in table.iter().map_err(|error| self.trouble.of(error))? {
            let (key, value) = row.map_err(|error| self.trouble.of(error))?;
            each(u32::from_be_bytes(*key.value()), value.value());
        }
        Ok(())
    }

    /// The table; `None` where nobody has made one.
    fn log(&self) -> Result<Option<redb::ReadOnlyTable<&'static [u8; 4], &'static [u8]>>> {
        match self.txn.open_table(LOG) {
            Ok(table) => Ok(Some(table)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(self.trouble.of(error)),
        }
    }
}

impl LogRows for Reading {
    fn log_from_end(&self, each: EachRow<'_>) -> Result<()> {
        match self.log()? {
            Some(table) => from_end(&table, &self.trouble, each),
            None => Ok(()),
        }
    }

    fn log_row(&self, number: u32) -> Result<Option<Vec<u8>>> {
        match self.log()? {
            Some(table) => row(&table, &self.trouble, number),
            None => Ok(None),
        }
    }
}

impl LogRows for Writing {
    fn log_from_end(&self, each: EachRow<'_>) -> Result<()> {
        from_end(&self.log()?, &self.trouble, each)
    }

    fn log_row(&self, number: u32) -> Result<Option<Vec<u8>>> {
        row(&self.log()?, &self.trouble, number)
    }
}

impl Writing {
    /// Adds an entry; one that is there is never overwritten.
    pub(in crate::vault) fn add_log(&self, number: u32, frame: &[u8]) -> Result<Added> {
        if self.log_row(number)?.is_some() {
            return Ok(Added::WasThere);
        }
        self.replace_log(number, frame)?;
        Ok(Added::Now)
    }

    /// Puts an entry where something else stands.
    pub(in crate::vault) fn replace_log(&self, number: u32, frame: &[u8]) -> Result<()> {
        self.logged.set(self.logged.get().max(number));
        self.log()?
            .insert(&number.to_be_bytes(), frame)
            .map_err(|error| self.trouble.of(error))?;
        Ok(())
    }

    /// Takes away what stands in the place of an entry and is none.
    pub(in crate::vault) fn remove_log(&self, number: u32) -> Result<()> {
        self.log()?
            .remove(&number.to_be_bytes())
            .map_err(|error| self.trouble.of(error))?;
        Ok(())
    }

    pub(super) fn make_log(&self) -> Result<()> {
        self.log().map(drop)
    }

    fn log(&self) -> Result<redb::Table<'_, &'static [u8; 4], &'static [u8]>> {
        self.txn
            .open_table(LOG)
            .map_err(|error| self.trouble.of(error))
    }
}

fn from_end(
    table: &impl ReadableTable<&'static [u8; 4], &'static [u8]>,
    trouble: &Trouble,
    each: EachRow<'_>,
) -> Result<()> {
    for row in table.iter().map_err(|error| trouble.of(error))?.rev() {
        let (key, value) = row.map_err(|error| trouble.of(error))?;
        if each(u32::from_be_bytes(*key.value()), value.value()) == Next::Stop {
            return Ok(());
        }
    }
    Ok(())
}

fn row(
    table: &impl ReadableTable<&'static [u8; 4], &'static [u8]>,
    trouble: &Trouble,
    number: u32,
) -> Result<Option<Vec<u8>>> {
    let found = table
        .get(&number.to_be_bytes())
        .map_err(|error| trouble.of(error))?;
    Ok(found.map(|value| value.value().to_vec()))
}
