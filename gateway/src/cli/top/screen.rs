use std::io;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::Stylize;
use ratatui::text::Line;
use ratatui::widgets::{Block, Row, Table};
use ratatui::{DefaultTerminal, Frame};

use super::view::{Panel, View};

/// The terminal while `top` has it. Dropping it gives it back.
pub(super) struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self { terminal: ratatui::try_init()? })
    }

    pub(super) fn draw(&mut self, view: &View) -> io::Result<()> {
        self.terminal.draw(|frame| paint(frame, view)).map(|_| ())
    }

    /// Waits so long, or until the user wants to leave; draws anew when the size changes.
    pub(super) fn wait_for_quit(&mut self, time: Duration, view: &View) -> io::Result<bool> {
        let end = Instant::now() + time;
        while event::poll(end.saturating_duration_since(Instant::now()))? {
            match event::read()? {
                Event::Key(key) => {
                    let interrupted = key.code == KeyCode::Char('c')
                        && key.modifiers.contains(KeyModifiers::CONTROL);
                    if interrupted || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc) {
                        return Ok(true);
                    }
                }
                Event::Resize(..) => self.draw(view)?,
                _ => {}
            }
        }
        Ok(false)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

fn paint(frame: &mut Frame<'_>, view: &View) {
    let panels: Vec<_> = view.panels.iter().filter(|panel| !panel.rows.is_empty()).collect();
    // Border, head and rows; the last panel takes what is left.
    let heights = panels.iter().map(|panel| Constraint::Length(panel.rows.len() as u16 + 3));
    let areas = Layout::vertical(
        [Constraint::Length(1)].into_iter().chain(heights).chain([Constraint::Min(0)]),
    )
    .split(frame.area());
    let keys = "q quits".dim();
    frame
        .render_widget(Line::from(vec![view.headline.clone().bold(), "  ".into(), keys]), areas[0]);
    for (panel, area) in panels.into_iter().zip(areas.iter().skip(1)) {
        frame.render_widget(table(panel), *area);
    }
}

fn table(panel: &Panel) -> Table<'_> {
    let columns = panel.head.iter().enumerate().map(|(column, head)| {
        let cells = panel.rows.iter().filter_map(|row| row.get(column)).map(String::len);
        Constraint::Min(cells.max().unwrap_or(0).max(head.len()) as u16)
    });
    let rows = panel.rows.iter().map(|row| Row::new(row.iter().map(String::as_str)));
    Table::new(rows, columns.collect::<Vec<_>>())
        .header(Row::new(panel.head.iter().copied()).bold())
        .block(Block::bordered().title(panel.title))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::view::tests::look;
    use super::*;

    #[test]
    fn every_size_of_a_terminal_is_painted() {
        let first = Instant::now();
        let view = View::between(&look(first, 0), &look(first, 2));
        for (width, height) in [(120, 40), (80, 24), (20, 5), (1, 1)] {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal.draw(|frame| paint(frame, &view)).unwrap();
            let text = terminal.backend().to_string();
            if width == 120 {
                assert!(text.contains("20.00M") && text.contains("no_route"), "{text}");
            }
        }
    }
}
