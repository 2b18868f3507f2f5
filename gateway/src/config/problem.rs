//! What is wrong with a file: collected while reading, then shown all at once with file, line,
//! column, the source line, carets and a hint.

use core::fmt;
use core::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// Problems shown at most; the rest are counted.
const SHOWN: usize = 50;

/// Everything found wrong with one file; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    file: String,
    text: String,
    problems: Vec<Problem>,
}

/// One thing wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    span: Range<usize>,
    message: String,
    label: String,
    related: Vec<(Range<usize>, String)>,
    hint: Option<String>,
}

/// Problems on their way to a [`ConfigErrors`].
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl ConfigErrors {
    /// In the order of the file.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Line and column of a problem, both from 1, the column in characters.
    pub fn position(&self, problem: &Problem) -> (usize, usize) {
        let before = &self.text[..problem.span.start];
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line..].chars().count() + 1)
    }

    /// As text for a terminal.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for problem in self.problems.iter().take(SHOWN) {
            out += &renderer.render(&self.report(problem));
            out += "\n\n";
        }
        let count = self.problems.len();
        if count > SHOWN {
            out += &format!("... and {} more\n", count - SHOWN);
        }
        out += &format!("{}: {count} {}", self.file, if count == 1 { "error" } else { "errors" });
        out
    }

    fn report<'a>(&'a self, problem: &'a Problem) -> Vec<Group<'a>> {
        let primary = AnnotationKind::Primary.span(problem.span.clone()).label(&problem.label);
        let related = problem
            .related
            .iter()
            .map(|(span, label)| AnnotationKind::Context.span(span.clone()).label(label));
        let snippet =
            Snippet::source(&self.text).path(&self.file).annotation(primary).annotations(related);
        let group = Level::ERROR.primary_title(&problem.message).element(snippet);
        vec![match &problem.hint {
            Some(hint) => group.element(Level::HELP.message(hint)),
            None => group,
        }]
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for ConfigErrors {}

impl Problem {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        let (message, label) = (message.into(), String::new());
        Self { span, message, label, related: Vec::new(), hint: None }
    }

    /// What stands at the carets.
    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Another place that has to do with it.
    pub(super) fn related(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// How to mend it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// How to mend it.
    pub fn help(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl Problems {
    pub(super) fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// In the order of the file. Never of no problems.
    pub(super) fn into_errors(mut self, file: &str, text: &str) -> ConfigErrors {
        self.0.sort_by_key(|problem| problem.span.start);
        ConfigErrors { file: file.to_owned(), text: text.to_owned(), problems: self.0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
