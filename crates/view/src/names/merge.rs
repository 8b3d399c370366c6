//! Several tables of states, read as one in order of keys.

use super::rows;
use super::stored::StoredObject;
use crate::error::ViewError;
use crate::tables::{Read, Row, Rows, TableId, successor};
use std::cmp::Ordering;

/// Where to begin.
#[derive(Clone, Debug)]
pub(super) enum Start {
    /// At this key or, where it is not there, the next.
    At(String),
    /// Behind every state of this key.
    Behind(String),
    /// Behind every key that begins so.
    BehindPrefix(String),
    /// At the states of this key that are older than this position.
    Within(String, u64),
}

struct Source<'a> {
    table: TableId,
    rows: Rows<'a>,
    head: Option<(String, Row<'a>)>,
}

impl<'a> Source<'a> {
    fn begin(
        read: &'a impl Read,
        bucket: u64,
        table: TableId,
        start: &Start,
    ) -> Result<Option<Self>, ViewError> {
        let from = match (table, start) {
            (TableId::Current, Start::At(key)) => Some(rows::current(bucket, key)),
            (TableId::Current, Start::Behind(key) | Start::Within(key, _)) => {
                Some([&rows::current(bucket, key)[..], &[0]].concat())
            }
            (TableId::Current, Start::BehindPrefix(prefix)) => successor(&rows::current(bucket, prefix)),
            (_, Start::At(key)) => Some(rows::of_key(bucket, key)),
            (_, Start::Behind(key)) => successor(&rows::of_key(bucket, key)),
            (_, Start::BehindPrefix(prefix)) => successor(&rows::escaped(bucket, prefix.as_bytes())),
            (_, Start::Within(key, seq)) => Some([&rows::state(bucket, key, *seq)[..], &[0]].concat()),
        };
        let Some(from) = from else { return Ok(None) };
        let end = successor(&bucket.to_be_bytes());
        let mut source = Self {
            table,
            rows: read.rows(table, &from, end.as_deref())?,
            head: None,
        };
        source.advance()?;
        Ok(Some(source))
    }

    fn advance(&mut self) -> Result<Option<(String, Row<'a>)>, ViewError> {
        let next = match self.rows.next() {
            Some(row) => {
                let row = row?;
                let key = match self.table {
                    TableId::Current => rows::key_of_current(row.key())?.to_owned(),
                    _ => rows::key_of_escaped(row.key(), 8)?,
                };
                Some((key, row))
            }
            None => None,
        };
        Ok(std::mem::replace(&mut self.head, next))
    }
}

/// States by key; those of one key in the order of the tables, and within one newest first.
pub(super) struct Merge<'a> {
    sources: Vec<Source<'a>>,
}

impl<'a> Merge<'a> {
    pub(super) fn begin(
        read: &'a impl Read,
        bucket: u64,
        tables: &[TableId],
        start: &Start,
    ) -> Result<Self, ViewError> {
        let sources = tables
            .iter()
            .filter_map(|table| Source::begin(read, bucket, *table, start).transpose());
        Ok(Self {
            sources: sources.collect::<Result<_, _>>()?,
        })
    }

    fn first(&self) -> Option<usize> {
        let mut first: Option<(usize, &str)> = None;
        for (at, source) in self.sources.iter().enumerate() {
            let Some((key, _)) = &source.head else { continue };
            if first.is_none_or(|(_, least)| key.as_bytes().cmp(least.as_bytes()) == Ordering::Less) {
                first = Some((at, key));
            }
        }
        first.map(|(at, _)| at)
    }

    /// The key of the next state.
    pub(super) fn peek(&self) -> Option<&str> {
        let source = &self.sources[self.first()?];
        source.head.as_ref().map(|(key, _)| key.as_str())
    }

    /// The next state: its key, the table that it is in, and its value.
    pub(super) fn next(&mut self) -> Result<Option<(String, TableId, StoredObject)>, ViewError> {
        let Some(first) = self.first() else {
            return Ok(None);
        };
        let source = &mut self.sources[first];
        match source.advance()? {
            Some((key, row)) => Ok(Some((key, source.table, row.value()?))),
            None => Ok(None),
        }
    }
}
