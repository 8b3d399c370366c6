//! The command line: flags, options with a value, and what is left.

use crate::Outcome;
use std::collections::VecDeque;

/// Arguments not yet taken.
pub struct Args(VecDeque<String>);

impl Args {
    /// What the process was started with, without its own name.
    pub fn from_env() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    /// The next argument that is not an option.
    pub fn positional(&mut self) -> Option<String> {
        let at = self.0.iter().position(|argument| !argument.starts_with("--"))?;
        // An option's value is not a positional; options are taken first wherever both are mixed.
        if at > 0 { None } else { self.0.remove(at) }
    }

    /// Whether `--name` is given.
    pub fn flag(&mut self, name: &str) -> bool {
        let found = self.0.iter().position(|argument| argument == name);
        found.map(|at| self.0.remove(at)).is_some()
    }

    /// The value of `--name VALUE` or `--name=VALUE`, if given.
    pub fn value(&mut self, name: &str) -> Outcome<Option<String>> {
        let with_equals = format!("{name}=");
        if let Some(at) = self
            .0
            .iter()
            .position(|argument| argument.starts_with(&with_equals))
        {
            return Ok(self
                .0
                .remove(at)
                .map(|argument| argument[with_equals.len()..].to_owned()));
        }
        let Some(at) = self.0.iter().position(|argument| argument == name) else {
            return Ok(None);
        };
        self.0.remove(at);
        match self.0.remove(at) {
            Some(value) => Ok(Some(value)),
            None => Err(format!("{name} needs a value").into()),
        }
    }

    /// Every value of an option that may be given several times.
    pub fn values(&mut self, name: &str) -> Outcome<Vec<String>> {
        let mut values = Vec::new();
        while let Some(value) = self.value(name)? {
            values.push(value);
        }
        Ok(values)
    }

    /// A number, or what it is by default.
    pub fn number(&mut self, name: &str, default: u64) -> Outcome<u64> {
        match self.value(name)? {
            Some(text) => text
                .parse()
                .map_err(|_| format!("{name} needs a number, not {text:?}").into()),
            None => Ok(default),
        }
    }

    /// Complains about whatever is left.
    pub fn done(self) -> Outcome {
        match self.0.front() {
            Some(left) => Err(format!("not understood: {left}").into()),
            None => Ok(()),
        }
    }
}
