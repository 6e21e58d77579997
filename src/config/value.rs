//! One value of the document under its key, and the readers that turn it into what a key means. A reader that fails has
//! reported why.

use std::net::SocketAddr;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::de::DeValue;

use super::model::Rate;
use super::nearest;
use super::units::{self, DURATION_HELP, RATE_HELP, SIZE_HELP};
use super::walk::Walk;

/// One value under its key.
#[derive(Clone)]
pub(super) struct Value<'w> {
    pub(super) walk: &'w Walk<'w>,
    pub(super) key: &'w str,
    pub(super) key_span: Range<usize>,
    pub(super) span: Range<usize>,
    pub(super) inner: &'w DeValue<'w>,
}

impl<'w> Value<'w> {
    /// Reports a fault at the value.
    pub(super) fn refuse<T>(
        &self,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.walk.refuse(code, self.span.clone(), message, help)
    }

    /// Reports a warning at the value.
    pub(super) fn warn(
        &self,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.walk.warn(code, self.span.clone(), message, help);
    }

    pub(super) fn wrong_type<T>(&self, wanted: &str, help: &str) -> Option<T> {
        let message = format!("`{}` is {wanted}, not {}", self.key, kind(self.inner));
        self.refuse("type_wrong", message, help)
    }

    /// Any string.
    pub(super) fn text(&self) -> Option<&'w str> {
        let help = match self.inner {
            DeValue::String(_) => "write something between the quotes",
            _ => "put it in quotes",
        };
        self.text_like("a string", help)
    }

    pub(super) fn text_like(&self, wanted: &str, help: &str) -> Option<&'w str> {
        match self.inner {
            DeValue::String(text) if text.is_empty() => {
                self.refuse("value_empty", format!("`{}` is empty", self.key), help)
            }
            DeValue::String(text) => Some(text),
            _ => self.wrong_type(wanted, help),
        }
    }

    /// A string without control characters, as it goes into headers, tokens and logs.
    pub(super) fn line(&self) -> Option<&'w str> {
        let text = self.text()?;
        if text.chars().any(char::is_control) {
            let message = format!("`{}` has a control character in it", self.key);
            return self.refuse(
                "value_invalid",
                message,
                "write it without line ends and tabs",
            );
        }
        Some(text)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Option<bool> {
        match self.inner {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.wrong_type("true or false", "write `true` or `false`, without quotes"),
        }
    }

    /// A whole number within `range`.
    pub(super) fn count(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let help = format!(
            "write a whole number from {} to {}",
            range.start(),
            range.end()
        );
        let DeValue::Integer(number) = self.inner else {
            return self.wrong_type("a whole number", &help);
        };
        i128::from_str_radix(number.as_str(), number.radix())
            .ok()
            .and_then(|number| u64::try_from(number).ok())
            .filter(|number| range.contains(number))
            .or_else(|| {
                let message = format!("`{}` is out of range", self.key);
                self.refuse("number_out_of_range", message, help)
            })
    }

    /// A number within `range`, whole or not.
    pub(super) fn fraction(&self, range: RangeInclusive<f64>) -> Option<f64> {
        let help = format!("write a number from {} to {}", range.start(), range.end());
        let number = match self.inner {
            DeValue::Float(number) => number.as_str().parse().ok(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            _ => return self.wrong_type("a number", &help),
        };
        number.filter(|number| range.contains(number)).or_else(|| {
            let message = format!("`{}` is out of range", self.key);
            self.refuse("number_out_of_range", message, help)
        })
    }

    /// A duration, `"0s"` included.
    pub(super) fn duration(&self) -> Option<Duration> {
        let text = self.text_like("a duration", DURATION_HELP)?;
        units::duration(text).or_else(|| {
            let message = format!("`{}` is no duration", self.key);
            self.refuse("duration_invalid", message, DURATION_HELP)
        })
    }

    /// A duration above zero.
    pub(super) fn span(&self) -> Option<Duration> {
        let duration = self.duration()?;
        if duration.is_zero() {
            let message = format!("`{}` is zero: nothing could ever be in time", self.key);
            return self.refuse("duration_invalid", message, DURATION_HELP);
        }
        Some(duration)
    }

    /// A size in bytes, within `range`.
    pub(super) fn size(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let text = self.text_like("a size", SIZE_HELP)?;
        let Some(bytes) = units::size(text) else {
            let message = format!("`{}` is no size", self.key);
            return self.refuse("size_invalid", message, SIZE_HELP);
        };
        if !range.contains(&bytes) {
            let message = format!("`{}` is out of range", self.key);
            let [least, most] = [range.start(), range.end()].map(|end| units::size_text(*end));
            let help = format!("write \"{least}\" to \"{most}\"");
            return self.refuse("number_out_of_range", message, help);
        }
        Some(bytes)
    }

    /// A rate.
    pub(super) fn rate(&self) -> Option<Rate> {
        let text = self.text_like("a rate", RATE_HELP)?;
        units::rate(text).or_else(|| {
            let message = format!("`{}` is no rate", self.key);
            self.refuse("rate_invalid", message, RATE_HELP)
        })
    }

    /// One of a closed list of words.
    pub(super) fn word<T: Clone>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let known = words.iter().map(|(word, _)| *word);
        let help = nearest::help("", known.clone(), "write one of");
        let text = self.text_like("a word", &help)?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| meaning.clone()).or_else(|| {
            let message = format!("`{}` knows no such word", self.key);
            let help = nearest::help(text, known, "write one of");
            self.refuse("word_unknown", message, help)
        })
    }

    /// Every element of an array. All are read, and `None` comes back if one is at fault.
    pub(super) fn list<T>(&self, mut each: impl FnMut(&Self) -> Option<T>) -> Option<Vec<T>> {
        let DeValue::Array(elements) = self.inner else {
            return self.wrong_type("a list", "write it in brackets: [\"…\", \"…\"]");
        };
        let read: Vec<_> = elements
            .iter()
            .map(|element| {
                each(&Self {
                    span: element.span(),
                    inner: element.get_ref(),
                    ..self.clone()
                })
            })
            .collect();
        read.into_iter().collect()
    }

    /// Every element of an array that must have one.
    pub(super) fn some<T>(&self, each: impl FnMut(&Self) -> Option<T>) -> Option<Vec<T>> {
        let list = self.list(each)?;
        if list.is_empty() {
            let message = format!("`{}` is empty", self.key);
            return self.refuse("value_empty", message, "name at least one");
        }
        Some(list)
    }

    /// `address:port`.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        let help = "write an IP address and a port: \"127.0.0.1:8080\" or \"[::]:8080\"";
        let text = self.text_like("an address", help)?;
        text.parse().ok().or_else(|| {
            let message = format!("`{}` is no address with a port", self.key);
            self.refuse("address_invalid", message, help)
        })
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
