//! Curves as SVG: what a text can show and a diff can compare.

use std::path::Path;

use anyhow::anyhow;
use plotters::prelude::*;

/// A curve: what it is called, and its points.
pub type Curve = (String, Vec<(f64, f64)>);

/// A figure with a logarithmic axis below.
pub struct Figure<'a> {
    /// Above it.
    pub title: &'a str,
    /// Below it.
    pub x: &'a str,
    /// Beside it.
    pub y: &'a str,
    /// In it.
    pub curves: Vec<Curve>,
}

const SIZE: (u32, u32) = (640, 400);
const FONT: (&str, i32) = ("sans-serif", 13);

impl Figure<'_> {
    /// Draws it. A figure without a point is not drawn.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn draw(&self, path: &Path) -> anyhow::Result<()> {
        let points: Vec<_> = self.curves.iter().flat_map(|(_, points)| points).copied().collect();
        let bound = |of: fn(&(f64, f64)) -> f64, pick: fn(f64, f64) -> f64| {
            points.iter().map(of).reduce(pick)
        };
        let (Some(left), Some(right), Some(top)) =
            (bound(|p| p.0, f64::min), bound(|p| p.0, f64::max), bound(|p| p.1, f64::max))
        else {
            return Ok(());
        };
        let mut text = String::new();
        self.draw_into(&mut text, left.max(0.01)..right.max(left * 1.1), top * 1.1)
            .map_err(|error| anyhow!("{error}"))?;
        std::fs::write(path, text)?;
        Ok(())
    }

    fn draw_into(
        &self,
        text: &mut String,
        x: core::ops::Range<f64>,
        top: f64,
    ) -> Result<(), Box<dyn std::error::Error + '_>> {
        let area = SVGBackend::with_string(text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, ("sans-serif", 16))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(56)
            .build_cartesian_2d(x.log_scale(), 0.0..top)?;
        chart
            .configure_mesh()
            .x_desc(self.x)
            .y_desc(self.y)
            .label_style(FONT)
            .light_line_style(WHITE)
            .draw()?;
        for (n, (name, points)) in self.curves.iter().enumerate() {
            let color = Palette99::pick(n).to_rgba();
            chart
                .draw_series(
                    LineSeries::new(points.iter().copied(), color.stroke_width(2)).point_size(3),
                )?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color));
        }
        chart
            .configure_series_labels()
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .label_font(FONT)
            .draw()?;
        area.present()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_its_words_and_curves() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.svg");
        let curves = vec![("one".into(), vec![(1.0, 260.0), (64.0, 180.0)])];
        let figure = Figure { title: "Cost", x: "train", y: "cycles", curves };
        figure.draw(&path).expect("drawn");
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(["Cost", "train", "cycles", "one", "<polyline"].iter().all(|w| text.contains(w)));
        assert!(text.len() < 64 << 10, "{} bytes", text.len());
    }
}
