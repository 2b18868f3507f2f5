/// Text in aligned columns: numbers to the right, all else to the left, two spaces between.
pub struct TextTable {
    rows: Vec<Vec<String>>,
}

impl TextTable {
    /// Without rows; the titles of its columns.
    pub fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|title| (*title).to_owned()).collect()] }
    }

    /// Adds a row; it has as many cells as the head.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The text, a line per row.
    pub fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let width = |column| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let right = |column| cells(column).skip(1).all(|cell| is_number(cell));
        let layout: Vec<(usize, bool)> = (0..columns).map(|c| (width(c), right(c))).collect();
        let line = |row: &Vec<String>| {
            let padded = row.iter().zip(&layout).map(|(cell, (width, right))| match right {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        self.rows.iter().map(line).collect()
    }
}

/// A number, with or without a unit behind it.
fn is_number(cell: &str) -> bool {
    let digits = cell.trim_end_matches(|sign: char| sign.is_ascii_alphabetic() || sign == '%');
    digits == "-" || digits.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = TextTable::new(&["PORT", "RX", "LINK"]);
        table.row(["p0".into(), "7".into(), "up".into()]);
        table.row(["uplink".into(), "1234".into(), "down".into()]);
        let expected = "\
PORT      RX  LINK
p0         7  up
uplink  1234  down
";
        assert_eq!(table.render(), expected);
    }
}
