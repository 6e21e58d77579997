//! Shows diagnostics: the place, the line itself with its secrets hidden, a caret below, and the way out.

use std::fmt::Write;
use std::ops::Range;

use serde_json::{Value, json};

use super::diagnostic::{Diagnostic, Severity};
use super::mask;

/// What stands in the place of a secret. Its length says nothing.
const MASK: &str = "***";

/// How wide a tab is shown, in columns.
const TAB_COLUMNS: usize = 4;

/// The longest line that is shown whole, in columns; a longer one is cut.
const COLUMNS_MAX: usize = 400;

/// Whether a text is for a terminal with colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Plain,
    /// ANSI escapes (ECMA-48 §8.3.117).
    Ansi,
}

/// Diagnostics of one file, ready to be shown.
#[derive(Debug)]
pub struct Report<'r> {
    file: &'r str,
    text: &'r str,
    diagnostics: &'r [Diagnostic],
    hidden: Vec<Range<usize>>,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// A place as people count: from 1, in characters.
struct Place {
    line: usize,
    column: usize,
}

impl<'r> Report<'r> {
    /// Takes the diagnostics of `text`, which was read from `file`.
    pub fn new(file: &'r str, text: &'r str, diagnostics: &'r [Diagnostic]) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            file,
            text,
            diagnostics,
            hidden: if diagnostics.is_empty() {
                Vec::new()
            } else {
                mask::hidden(text)
            },
            lines: std::iter::once(0).chain(breaks).collect(),
        }
    }

    /// Each diagnostic as a few lines of text, the first of them `file:line:column: severity[code]: message`.
    pub fn to_text(&self, colour: Colour) -> String {
        let mut out = String::new();
        for diagnostic in self.diagnostics {
            self.write(diagnostic, colour, &mut out)
                .expect("a String takes everything");
        }
        out
    }

    /// `{"valid", "faults", "warnings", "diagnostics": [{"severity", "code", "file", "line", "column", "end_line",
    /// "end_column", "source", "message", "help", "also"}]}`. Lines and columns count from 1, columns in characters.
    pub fn to_json(&self) -> Value {
        let faults = self
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.is_fault())
            .count();
        json!({
            "valid": faults == 0,
            "faults": faults,
            "warnings": self.diagnostics.len() - faults,
            "diagnostics": self.diagnostics.iter().map(|diagnostic| self.object(diagnostic)).collect::<Vec<_>>(),
        })
    }

    fn object(&self, diagnostic: &Diagnostic) -> Value {
        let (start, end) = (
            self.place(diagnostic.span.start),
            self.place(diagnostic.span.end),
        );
        let also = diagnostic.also.iter().map(|span| {
            let place = self.place(span.start);
            json!({ "line": place.line, "column": place.column, "source": self.line(span).0 })
        });
        json!({
            "severity": diagnostic.severity.as_str(),
            "code": diagnostic.code,
            "file": self.file,
            "line": start.line,
            "column": start.column,
            "end_line": end.line,
            "end_column": end.column,
            "source": self.line(&diagnostic.span).0,
            "message": diagnostic.message,
            "help": diagnostic.help,
            "also": also.collect::<Vec<_>>(),
        })
    }

    fn write(&self, diagnostic: &Diagnostic, colour: Colour, out: &mut String) -> std::fmt::Result {
        let (paint, bold, dim, end) = match (colour, diagnostic.severity) {
            (Colour::Plain, _) => ("", "", "", ""),
            (Colour::Ansi, Severity::Fault) => ("\x1b[1;31m", "\x1b[1m", "\x1b[2m", "\x1b[0m"),
            (Colour::Ansi, Severity::Warning) => ("\x1b[1;33m", "\x1b[1m", "\x1b[2m", "\x1b[0m"),
        };
        let Place { line, column } = self.place(diagnostic.span.start);
        let (severity, code) = (diagnostic.severity.as_str(), diagnostic.code);
        let message = printable(&diagnostic.message);
        writeln!(
            out,
            "{bold}{}:{line}:{column}:{end} {paint}{severity}[{code}]{end}: {message}",
            self.file
        )?;
        for span in std::iter::once(&diagnostic.span).chain(&diagnostic.also) {
            let line = self.place(span.start).line;
            let (source, columns) = self.line(span);
            let carets = "^".repeat((columns.end - columns.start).max(1));
            let before = " ".repeat(columns.start);
            writeln!(out, "{dim}{line:>5} |{end} {source}")?;
            writeln!(out, "{dim}      |{end} {before}{paint}{carets}{end}")?;
        }
        writeln!(out, "      help: {}\n", printable(&diagnostic.help))
    }

    fn place(&self, at: usize) -> Place {
        let at = self.text.floor_char_boundary(at.min(self.text.len()));
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines[line - 1];
        Place {
            line,
            column: self.text[start..at].chars().count() + 1,
        }
    }

    /// The first line of `span` as it is shown, and the columns that `span` has in it.
    fn line(&self, span: &Range<usize>) -> (String, Range<usize>) {
        let at = self.lines[self.place(span.start).line - 1];
        let line = self.text[at..].lines().next().unwrap_or_default();
        let mut shown = String::new();
        // The columns of the character at hand. Those of a secret share the columns of its mask.
        let mut columns = 0..0;
        let (mut first, mut last) = (None, None);
        for (offset, character) in line.char_indices() {
            let here = at + offset;
            if here >= span.end && last.is_none() {
                last = Some(columns.end);
            }
            let hidden = self.hidden.partition_point(|hidden| hidden.end <= here);
            let hidden = self
                .hidden
                .get(hidden)
                .filter(|hidden| hidden.contains(&here));
            if hidden.is_none_or(|hidden| here == hidden.start.max(at)) && columns.end < COLUMNS_MAX
            {
                let width = if hidden.is_some() {
                    show_mask(&mut shown)
                } else {
                    show(character, &mut shown)
                };
                columns = columns.end..columns.end + width;
            }
            if here >= span.start && first.is_none() {
                first = Some(columns.start);
            }
        }
        let first = first.unwrap_or(columns.end);
        (shown, first..last.unwrap_or(columns.end).max(first))
    }
}

fn show_mask(shown: &mut String) -> usize {
    shown.push_str(MASK);
    MASK.len()
}

/// Appends a character as a terminal may have it, and says how many columns it takes there.
fn show(character: char, shown: &mut String) -> usize {
    match character {
        '\t' => shown.push_str(&" ".repeat(TAB_COLUMNS)),
        c if c.is_control() => shown.push('\u{fffd}'),
        c => shown.push(c),
    }
    match character {
        '\t' => TAB_COLUMNS,
        // Combining marks stand on the character before them.
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        // East Asian wide and emoji (Unicode Standard Annex 11).
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// The text without control characters, which could move a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
