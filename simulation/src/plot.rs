//! Plots as SVG, written by hand so that they are the same octet for octet wherever they are written.

use std::fmt::Write as _;

/// A plot: curves over one axis.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by every page")]
pub struct Plot {
    /// What it shows.
    pub title: &'static str,
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
    /// What is drawn.
    pub curves: Vec<Curve>,
}

/// An axis.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by every page")]
pub struct Axis {
    /// What it measures.
    pub name: &'static str,
    /// Where there is a mark, in order, with its label; the first and the last one end the axis.
    pub marks: Vec<(f64, &'static str)>,
    /// Whether equal steps are equal factors.
    pub scale: Scale,
}

/// What equal steps on an axis mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum Scale {
    /// Equal differences.
    Linear,
    /// Equal factors.
    Logarithmic,
}

/// A line, named beside the plot.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by every page")]
pub struct Curve {
    /// What it is.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
    /// Whether it is a bound rather than an outcome.
    pub line: Line,
}

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum Line {
    /// An outcome.
    Solid,
    /// A bound.
    Dashed,
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 590.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 320.0;
/// Told apart by people who do not see all colors, too (Okabe and Ito).
const COLORS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

impl Plot {
    /// The SVG document.
    pub fn to_svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
             <text x=\"{LEFT}\" y=\"22\" font-size=\"15\">{}</text>\n",
            escaped(self.title)
        );
        // Writing to a String cannot fail.
        let _ = self.axes(&mut svg);
        for (curve, (at, color)) in self.curves.iter().zip((0_u32..).zip(COLORS.iter().cycle())) {
            let _ = self.curve(&mut svg, curve, f64::from(at), color);
        }
        svg + "</svg>\n"
    }

    fn axes(&self, svg: &mut String) -> std::fmt::Result {
        for (value, label) in &self.x.marks {
            let x = self.x.place(*value, LEFT, RIGHT);
            writeln!(svg, "<path d=\"M{x:.1} {TOP}V{BOTTOM}\" stroke=\"#ddd\"/>")?;
            let y = BOTTOM + 18.0;
            writeln!(svg, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{}</text>", escaped(label))?;
        }
        for (value, label) in &self.y.marks {
            let y = self.y.place(*value, BOTTOM, TOP);
            writeln!(svg, "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"#ddd\"/>")?;
            let (x, y) = (LEFT - 6.0, y + 4.0);
            writeln!(svg, "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{}</text>", escaped(label))?;
        }
        let (x, y) = (f64::midpoint(LEFT, RIGHT), BOTTOM + 42.0);
        writeln!(svg, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{}</text>", escaped(self.x.name))?;
        let y = f64::midpoint(TOP, BOTTOM);
        let name = escaped(self.y.name);
        writeln!(
            svg,
            "<text transform=\"translate(16 {y}) rotate(-90)\" text-anchor=\"middle\">{name}</text>"
        )
    }

    fn curve(&self, svg: &mut String, curve: &Curve, at: f64, color: &str) -> std::fmt::Result {
        let dashes = match curve.line {
            Line::Solid => "",
            Line::Dashed => " stroke-dasharray=\"6 4\"",
        };
        let style = format!("fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"{dashes}");
        let points = curve.points.iter().map(|(x, y)| {
            format!("{:.1},{:.1}", self.x.place(*x, LEFT, RIGHT), self.y.place(*y, BOTTOM, TOP))
        });
        writeln!(svg, "<polyline points=\"{}\" {style}/>", points.collect::<Vec<_>>().join(" "))?;
        let (x, y) = (RIGHT + 16.0, TOP + 10.0 + at * 22.0);
        writeln!(svg, "<path d=\"M{x} {y}h24\" {style}/>")?;
        writeln!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", x + 30.0, y + 4.0, escaped(&curve.name))
    }
}

impl Axis {
    /// Where a value lies between `start` and `end`; what lies beyond the axis is put to its end.
    fn place(&self, value: f64, start: f64, end: f64) -> f64 {
        let (Some((first, _)), Some((last, _))) = (self.marks.first(), self.marks.last()) else {
            return start;
        };
        let value = value.clamp(*first, *last);
        let part = match self.scale {
            Scale::Linear => (value - first) / (last - first),
            Scale::Logarithmic => (value / first).ln() / (last / first).ln(),
        };
        start + part * (end - start)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_is_well_formed_and_keeps_to_its_frame() {
        let marks = |last| vec![(1.0, "1"), (last, "<last>")];
        let axis = |scale, last| Axis { name: "a & b", marks: marks(last), scale };
        let points = vec![(0.5, 50.0), (10.0, 200.0), (100.0, 51.0)];
        let plot = Plot {
            title: "t",
            x: axis(Scale::Logarithmic, 100.0),
            y: axis(Scale::Linear, 101.0),
            curves: vec![Curve { name: "one".into(), points, line: Line::Dashed }],
        };
        let svg = plot.to_svg();
        assert!(svg.contains("points=\"70.0,182.8 330.0,40.0 590.0,180.0\""), "{svg}");
        assert!(svg.contains("a &amp; b") && svg.contains("&lt;last&gt;"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    }
}
