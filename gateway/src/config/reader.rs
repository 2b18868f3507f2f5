//! Reads one table of the file key by key. What was never asked for is an unknown key, so the list
//! of known keys is the code that reads them.
//!
//! Not serde's `deny_unknown_fields`: that ends at the first mistake, and this reports all.

use core::ops::{Range, RangeInclusive};
use core::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Problems};
use super::suggest::did_you_mean;

/// One table of the file while it is read.
pub(super) struct Reader<'t, 'i> {
    table: &'t DeTable<'i>,
    span: Range<usize>,
    /// As an operator writes it: `[gro]`.
    heading: &'static str,
    asked: Vec<&'static str>,
}

/// A key and how its value may look.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) name: &'static str,
    /// A valid value, as written in the file.
    pub(super) example: &'static str,
}

/// Shorthand for a [`Key`].
pub(super) const fn key(name: &'static str, example: &'static str) -> Key {
    Key { name, example }
}

impl<'t, 'i> Reader<'t, 'i> {
    pub(super) fn new(table: &'t DeTable<'i>, span: Range<usize>, heading: &'static str) -> Self {
        Self { table, span, heading, asked: Vec::new() }
    }

    /// Where the table's heading stands.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Whether the file has this key.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The value of a key, whatever its type.
    pub(super) fn value(&mut self, name: &'static str) -> Option<&'t Spanned<DeValue<'i>>> {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
        self.table.get(name)
    }

    /// A string.
    pub(super) fn text(&mut self, key: Key, problems: &mut Problems) -> Option<Spanned<String>> {
        let value = self.value(key.name)?;
        let text = as_text(value, key, problems)?;
        Some(Spanned::new(value.span(), text.to_owned()))
    }

    /// A string that must be there.
    pub(super) fn required(
        &mut self,
        key: Key,
        problems: &mut Problems,
    ) -> Option<Spanned<String>> {
        self.require(key, problems);
        self.text(key, problems)
    }

    /// Notes a problem if the key is missing.
    pub(super) fn require(&self, key: Key, problems: &mut Problems) {
        if !self.has(key.name) {
            problems.push(
                Problem::new(self.span(), format!("{} has no `{}`", self.heading, key.name))
                    .hint(format!("add {} = {}", key.name, key.example)),
            );
        }
    }

    /// A string that means something; `what` says what, with its article.
    pub(super) fn parsed<T: FromStr>(
        &mut self,
        key: Key,
        what: &str,
        problems: &mut Problems,
    ) -> Option<Spanned<T>> {
        let value = self.value(key.name)?;
        parse_text(value, key, what, problems)
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: Key,
        words: &[(&'static str, T)],
        problems: &mut Problems,
    ) -> Option<T> {
        let text = self.text(key, problems)?;
        let found = words.iter().find(|(word, _)| word == text.get_ref());
        if found.is_none() {
            let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            problems.push(
                Problem::new(text.span(), format!("`{}` has no such value", key.name))
                    .label(format!("not one of {}", all.join(", ")))
                    .hint(
                        did_you_mean(text.get_ref(), &all)
                            .unwrap_or_else(|| format!("write {} = {}", key.name, key.example)),
                    ),
            );
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: Key, problems: &mut Problems) -> Option<Spanned<bool>> {
        let value = self.value(key.name)?;
        let DeValue::Boolean(flag) = value.get_ref() else {
            problems.push(wrong_type(value, key, "true or false"));
            return None;
        };
        Some(Spanned::new(value.span(), *flag))
    }

    /// A number in a range, or the default.
    pub(super) fn number<T>(
        &mut self,
        name: &'static str,
        range: RangeInclusive<T>,
        default: T,
        problems: &mut Problems,
    ) -> T
    where
        T: TryFrom<i128> + Into<i128> + Copy + PartialOrd,
    {
        let found = self.value(name).and_then(|value| as_number(value, name, range, problems));
        found.map_or(default, Spanned::into_inner)
    }

    /// A list; a missing one is empty.
    pub(super) fn list(&mut self, key: Key, problems: &mut Problems) -> &'t [Spanned<DeValue<'i>>] {
        match self.value(key.name) {
            None => &[],
            Some(value) => match value.get_ref() {
                DeValue::Array(list) => list,
                _ => {
                    problems.push(wrong_type(value, key, "a list"));
                    &[]
                }
            },
        }
    }

    /// A list of strings; a missing one is empty.
    pub(super) fn texts(&mut self, key: Key, problems: &mut Problems) -> Vec<Spanned<String>> {
        let list = self.list(key, problems);
        list.iter()
            .filter_map(|value| {
                let text = as_text(value, key, problems)?;
                Some(Spanned::new(value.span(), text.to_owned()))
            })
            .collect()
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self, problems: &mut Problems) {
        for unknown in self.table.keys() {
            let name = unknown.get_ref();
            if self.asked.contains(&name.as_ref()) {
                continue;
            }
            let hint = did_you_mean(name, &self.asked)
                .unwrap_or_else(|| format!("the keys are {}", self.asked.join(", ")));
            problems.push(
                Problem::new(unknown.span(), format!("unknown key `{name}`"))
                    .label(format!("not a key of {}", self.heading))
                    .hint(hint),
            );
        }
    }
}

/// A string value.
pub(super) fn as_text<'t>(
    value: &'t Spanned<DeValue<'_>>,
    key: Key,
    problems: &mut Problems,
) -> Option<&'t str> {
    let text = value.get_ref().as_str();
    if text.is_none() {
        problems.push(wrong_type(value, key, "a string"));
    }
    text
}

/// A string value that means something.
pub(super) fn parse_text<T: FromStr>(
    value: &Spanned<DeValue<'_>>,
    key: Key,
    what: &str,
    problems: &mut Problems,
) -> Option<Spanned<T>> {
    let text = as_text(value, key, problems)?;
    let parsed = text.parse().ok();
    if parsed.is_none() {
        problems.push(
            Problem::new(value.span(), format!("`{}` needs {what}", key.name))
                .label(format!("not {what}"))
                .hint(format!("write {} = {}", key.name, key.example)),
        );
    }
    Some(Spanned::new(value.span(), parsed?))
}

/// A number value in a range.
pub(super) fn as_number<T>(
    value: &Spanned<DeValue<'_>>,
    name: &'static str,
    range: RangeInclusive<T>,
    problems: &mut Problems,
) -> Option<Spanned<T>>
where
    T: TryFrom<i128> + Into<i128> + Copy + PartialOrd,
{
    let (low, high): (i128, i128) = ((*range.start()).into(), (*range.end()).into());
    let DeValue::Integer(digits) = value.get_ref() else {
        problems.push(
            Problem::new(value.span(), format!("`{name}` must be a whole number"))
                .label(format!("this is {}", type_of(value.get_ref())))
                .hint(format!("write a number from {low} to {high}, without quotes")),
        );
        return None;
    };
    let number = i128::from_str_radix(digits.as_str(), digits.radix()).ok();
    let inside = number.and_then(|n| T::try_from(n).ok()).filter(|n| range.contains(n));
    if inside.is_none() {
        problems.push(
            Problem::new(value.span(), format!("`{name}` is out of range"))
                .label(format!("not in {low}..={high}"))
                .hint(format!("write a number from {low} to {high}")),
        );
    }
    Some(Spanned::new(value.span(), inside?))
}

fn wrong_type(value: &Spanned<DeValue<'_>>, key: Key, wanted: &str) -> Problem {
    Problem::new(value.span(), format!("`{}` must be {wanted}", key.name))
        .label(format!("this is {}", type_of(value.get_ref())))
        .hint(format!("write {} = {}", key.name, key.example))
}

/// What a value is, with its article.
pub(super) fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
