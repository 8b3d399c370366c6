//! Reading an inventory, with errors that say where.
//!
//! Promises: at most [`MAX_BYTES`] are looked at; what is read has no field that is not known, and no figure that is
//! negative, not finite or beyond [`MAX_FIGURE`]. Whether it makes sense as a whole is [`super::resolve`]'s matter.

use super::error::{LabError, LabErrorKind as Kind, Place};
use super::fields::{self, Field, Holds, Table};
use super::model::Lab;
use super::nearest::did_you_mean;
use crate::policy::Policy;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The largest file that is read.
pub const MAX_BYTES: usize = 1 << 20;

/// The largest figure that is believed, whatever its unit.
pub const MAX_FIGURE: f64 = 1e9;

/// The longest name, in characters.
const MAX_NAME: usize = 100;

impl Lab {
    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// The first thing in it that is wrong, with line and column.
    pub fn read(text: &str) -> Result<Self, LabError> {
        if text.len() > MAX_BYTES {
            let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", text.len());
            return Err(LabError::new(
                Kind::TooLarge,
                message,
                "Split it into one file a lab.",
            ));
        }
        let tables = DeTable::parse(text).map_err(|error| syntax(text, &error))?;
        Walk { text }.table(tables.get_ref(), fields::LAB, "the file", 0..text.len())?;
        toml::from_str(text).map_err(|error| syntax(text, &error))
    }
}

fn syntax(text: &str, error: &toml::de::Error) -> LabError {
    let message = error.message().lines().collect::<Vec<_>>().join(": ");
    let wrong = LabError::new(
        Kind::Syntax,
        message,
        "Mend the line; the format is TOML 1.0 (toml.io).",
    );
    match error.span() {
        Some(span) => wrong.at(text, span.start),
        None => wrong,
    }
}

/// Gives errors the places of the things that they are about (the place of each one's `name`), and sorts them by these.
/// What is not found has no place, and comes last.
pub fn locate(text: &str, errors: &mut [LabError]) {
    let Ok(tables) = DeTable::parse(text) else { return };
    let mut places = std::collections::BTreeMap::new();
    for value in tables.get_ref().values() {
        let DeValue::Array(tables) = value.get_ref() else {
            continue;
        };
        for table in tables.iter() {
            let DeValue::Table(table) = table.get_ref() else {
                continue;
            };
            if let Some(name) = table.get("name")
                && let DeValue::String(text) = name.get_ref()
            {
                // The last one: where a name is there twice, the second is the one to change.
                places.insert(text.to_string(), name.span().start);
            }
        }
    }
    for error in errors.iter_mut().filter(|error| error.place.is_none()) {
        let about = error
            .about
            .as_deref()
            .map(|name| name.split('/').next().unwrap_or(name));
        let byte = about.and_then(|name| places.get(name));
        error.place = byte.map(|byte| Place::of(text, *byte));
    }
    errors.sort_by_key(|error| (error.place.is_none(), error.place));
}

struct Walk<'t> {
    text: &'t str,
}

type Checked = Result<(), LabError>;

impl Walk<'_> {
    fn wrong(&self, kind: Kind, span: &Range<usize>, message: String, next: impl Into<String>) -> LabError {
        LabError::new(kind, message, next).at(self.text, span.start)
    }

    fn table(&self, table: &DeTable<'_>, fields: Table, what: &str, span: Range<usize>) -> Checked {
        let all = || fields.iter().flat_map(|part| part.iter());
        let mut entries: Vec<_> = table.iter().collect();
        // In the order of the file, so that the first error is the first one that a reader meets.
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let name = key.get_ref().as_ref();
            let Some(field) = all().find(|field| field.name == name) else {
                let names = || all().map(|field| field.name);
                let next = did_you_mean(name, names())
                    .unwrap_or_else(|| format!("It has: {}.", names().collect::<Vec<_>>().join(", ")));
                let message = format!("{what} has no field `{}`", short(name));
                return Err(self.wrong(Kind::UnknownField, &key.span(), message, next));
            };
            self.value(field, value)?;
        }
        match all().find(|field| field.required && !table.contains_key(field.name)) {
            None => Ok(()),
            Some(field) => {
                let message = format!("{what} has no `{}`, which it must have", field.name);
                let next = format!("Add `{} = …`.", field.name);
                Err(self.wrong(Kind::MissingField, &span, message, next))
            }
        }
    }

    fn value(&self, field: &Field, value: &Spanned<DeValue<'_>>) -> Checked {
        let span = value.span();
        match (field.holds, value.get_ref()) {
            (Holds::Text, DeValue::String(_)) | (Holds::Flag, DeValue::Boolean(_)) => Ok(()),
            (Holds::Name, DeValue::String(name)) => self.name(name, &span),
            (Holds::Names, DeValue::Array(names)) => names.iter().try_for_each(|name| match name.get_ref() {
                DeValue::String(text) => self.name(text, &name.span()),
                _ => Err(self.type_error(field, &name.span())),
            }),
            (Holds::Word(words), DeValue::String(word)) => self.word(field, words, word, &span),
            (Holds::Policy, DeValue::String(policy)) => match policy.parse::<Policy>() {
                Ok(_) => Ok(()),
                Err(error) => Err(self.wrong(Kind::WrongWord, &span, error.to_string(), "Such as \"3\".")),
            },
            (Holds::Count, DeValue::Integer(number)) => {
                match u32::from_str_radix(number.as_str(), number.radix()) {
                    Ok(_) => Ok(()),
                    Err(_) => Err(self.figure_error(field, &number.to_string(), &span)),
                }
            }
            (Holds::Figure(_) | Holds::Range(_), DeValue::Integer(_) | DeValue::Float(_)) => {
                self.figure(field, value).map(|_| ())
            }
            (Holds::Range(_), DeValue::Array(ends)) if ends.len() == 2 => {
                self.range(field, &ends[0], &ends[1], &span)
            }
            (Holds::Range(_), DeValue::Table(ends)) => {
                match (ends.get("low"), ends.get("high"), ends.len()) {
                    (Some(low), Some(high), 2) => self.range(field, low, high, &span),
                    _ => Err(self.type_error(field, &span)),
                }
            }
            (Holds::Figure(unit) | Holds::Range(unit), DeValue::String(text)) => {
                Err(self.unit_error(field, unit, text, &span))
            }
            (Holds::Tables(fields), DeValue::Array(tables)) => {
                tables.iter().try_for_each(|table| match table.get_ref() {
                    DeValue::Table(inner) => {
                        let what = format!("a [[{}]]", field.name);
                        self.table(inner, fields, &what, table.span())
                    }
                    _ => Err(self.type_error(field, &table.span())),
                })
            }
            _ => Err(self.type_error(field, &span)),
        }
    }

    fn name(&self, name: &str, span: &Range<usize>) -> Checked {
        let problem = if name.trim().is_empty() {
            "a name is empty"
        } else if name.trim() != name {
            "a name begins or ends with a space"
        } else if name.chars().count() > MAX_NAME {
            "a name is longer than 100 characters"
        } else if name.chars().any(char::is_control) {
            "a name has control characters"
        } else {
            return Ok(());
        };
        Err(self.wrong(Kind::BadName, span, problem.to_owned(), "Write another one."))
    }

    fn word(&self, field: &Field, words: &[&'static str], word: &str, span: &Range<usize>) -> Checked {
        if words.contains(&word) {
            return Ok(());
        }
        let next = did_you_mean(word, words.iter().copied())
            .unwrap_or_else(|| format!("Write one of: {}.", words.join(", ")));
        let message = format!("`{}` is not \"{}\"", field.name, short(word));
        Err(self.wrong(Kind::WrongWord, span, message, next))
    }

    fn figure(&self, field: &Field, value: &Spanned<DeValue<'_>>) -> Result<f64, LabError> {
        let (number, written) = match value.get_ref() {
            DeValue::Integer(number) => {
                let read = i64::from_str_radix(number.as_str(), number.radix());
                (read.ok().map(|read| read as f64), number.to_string())
            }
            DeValue::Float(number) => (number.as_str().parse::<f64>().ok(), number.to_string()),
            DeValue::String(text) => {
                let (Holds::Figure(unit) | Holds::Range(unit)) = field.holds else {
                    return Err(self.type_error(field, &value.span()));
                };
                return Err(self.unit_error(field, unit, text, &value.span()));
            }
            _ => return Err(self.type_error(field, &value.span())),
        };
        number
            .filter(|number| (0.0..=MAX_FIGURE).contains(number))
            .ok_or_else(|| self.figure_error(field, &written, &value.span()))
    }

    fn range(
        &self,
        field: &Field,
        low: &Spanned<DeValue<'_>>,
        high: &Spanned<DeValue<'_>>,
        span: &Range<usize>,
    ) -> Checked {
        let (low, high) = (self.figure(field, low)?, self.figure(field, high)?);
        if low <= high {
            return Ok(());
        }
        let message = format!("`{}` goes from {low} down to {high}", field.name);
        Err(self.wrong(Kind::WrongFigure, span, message, "Write the smaller one first."))
    }

    fn figure_error(&self, field: &Field, written: &str, span: &Range<usize>) -> LabError {
        let message = format!("`{}` cannot be {}", field.name, short(written));
        let next = match field.holds {
            Holds::Count => "Write a whole number, 0 or more.".to_owned(),
            Holds::Figure(unit) | Holds::Range(unit) => {
                format!(
                    "Write a number from 0 to {MAX_FIGURE:e}, in {unit}; leave it out if it is not known."
                )
            }
            _ => "Write another one.".to_owned(),
        };
        self.wrong(Kind::WrongFigure, span, message, next)
    }

    fn unit_error(&self, field: &Field, unit: &str, text: &str, span: &Range<usize>) -> LabError {
        let message = format!(
            "`{}` is in {unit} already; \"{}\" is a text, not a number",
            field.name,
            short(text)
        );
        let number: String = text
            .trim()
            .chars()
            .take_while(|letter| letter.is_ascii_digit() || *letter == '.')
            .collect();
        let next = match number.parse::<f64>() {
            Ok(number) => format!("Write `{} = {number}` if that is {number} {unit}.", field.name),
            Err(_) => format!("Write a number in {unit}, without quotes and unit."),
        };
        self.wrong(Kind::WrongUnit, span, message, next)
    }

    fn type_error(&self, field: &Field, span: &Range<usize>) -> LabError {
        let takes = match field.holds {
            Holds::Text | Holds::Name => "a text in quotes".to_owned(),
            Holds::Word(words) => format!("one of \"{}\"", words.join("\", \"")),
            Holds::Policy => "a text such as \"3\" or \"4+2 strict\"".to_owned(),
            Holds::Flag => "true or false".to_owned(),
            Holds::Count => "a whole number".to_owned(),
            Holds::Figure(unit) => format!("a number in {unit}"),
            Holds::Range(unit) => format!("a number in {unit}, or [low, high]"),
            Holds::Names => "names in brackets: [\"one\", \"two\"]".to_owned(),
            Holds::Tables(_) => format!("tables, each headed [[{}]]", field.name),
        };
        let message = format!("`{}` takes {takes}", field.name);
        self.wrong(Kind::WrongType, span, message, "Write it so.")
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
