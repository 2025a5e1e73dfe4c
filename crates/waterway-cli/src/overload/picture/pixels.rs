//! Pixels for plotters. Text is drawn with a font that is part of the program, so no font of the system's is needed.

use std::io;

use ab_glyph::{Font, FontRef, PxScaleFont, ScaleFont, point};
use epaint_default_fonts::UBUNTU_LIGHT;
use plotters::backend::BitMapBackend;
use plotters::style::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

/// Pixels to a unit of length, each way, so that lines and letters are fine.
const SCALE: u32 = 2;

/// Draws on a buffer of pixels, each way [`SCALE`] times as many as it says.
pub struct Pixels<'a> {
    inner: BitMapBackend<'a>,
    size: (u32, u32),
    font: FontRef<'static>,
}

type Done<'a> = Result<(), DrawingErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>>;

impl<'a> Pixels<'a> {
    /// Room for a picture of this size: three bytes a pixel.
    pub fn buffer((width, height): (u32, u32)) -> Vec<u8> {
        vec![0; (width * height * SCALE * SCALE * 3) as usize]
    }

    pub fn on(buffer: &'a mut [u8], size: (u32, u32)) -> Pixels<'a> {
        Pixels {
            inner: BitMapBackend::with_buffer(buffer, (size.0 * SCALE, size.1 * SCALE)),
            size,
            font: FontRef::try_from_slice(UBUNTU_LIGHT).expect("the font is whole"),
        }
    }

    /// The font so large that letters are as large as an SVG of plotters has them.
    fn font(&self, size: f64) -> PxScaleFont<&FontRef<'static>> {
        let em = size / 1.24 * f64::from(SCALE);
        let of_font = self.font.height_unscaled() / self.font.units_per_em().unwrap_or(1_000.0);
        self.font.as_scaled(em as f32 * of_font)
    }
}

/// How far a text reaches, in pixels.
fn advance(font: &PxScaleFont<&FontRef<'static>>, text: &str) -> f32 {
    text.chars()
        .map(|letter| font.h_advance(font.glyph_id(letter)))
        .sum()
}

/// The encoded picture.
pub fn png(buffer: &[u8], (width, height): (u32, u32)) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width * SCALE, height * SCALE);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(buffer)?;
    writer.finish()?;
    Ok(bytes)
}

fn scaled((x, y): BackendCoord) -> BackendCoord {
    (x * SCALE as i32, y * SCALE as i32)
}

/// A style whose lines are so much wider.
struct Wide(BackendColor, u32);

impl Wide {
    fn of(style: &impl BackendStyle) -> Wide {
        Wide(style.color(), style.stroke_width() * SCALE)
    }
}

impl BackendStyle for Wide {
    fn color(&self) -> BackendColor {
        self.0
    }

    fn stroke_width(&self) -> u32 {
        self.1
    }
}

impl<'a> DrawingBackend for Pixels<'a> {
    type ErrorType = <BitMapBackend<'a> as DrawingBackend>::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Done<'a> {
        self.inner.ensure_prepared()
    }

    fn present(&mut self) -> Done<'a> {
        self.inner.present()
    }

    fn draw_pixel(&mut self, at: BackendCoord, color: BackendColor) -> Done<'a> {
        let (x, y) = scaled(at);
        let last = SCALE as i32 - 1;
        self.inner
            .draw_rect((x, y), (x + last, y + last), &color, true)
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Done<'a> {
        self.inner
            .draw_line(scaled(from), scaled(to), &Wide::of(style))
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Done<'a> {
        self.inner
            .draw_rect(scaled(from), scaled(to), &Wide::of(style), fill)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Done<'a> {
        self.inner
            .draw_path(path.into_iter().map(scaled), &Wide::of(style))
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Done<'a> {
        self.inner
            .draw_circle(scaled(center), radius * SCALE, &Wide::of(style), fill)
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Done<'a> {
        self.inner
            .fill_polygon(corners.into_iter().map(scaled), &Wide::of(style))
    }

    /// Upright text only: nothing here turns it.
    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        at: BackendCoord,
    ) -> Done<'a> {
        let (x, y) = scaled(at);
        let font = self.font(style.size());
        let mut left = x as f32
            - match style.anchor().h_pos {
                HPos::Left => 0.0,
                HPos::Center => advance(&font, text) / 2.0,
                HPos::Right => advance(&font, text),
            };
        // Above the line on which letters stand, the middle is that of a small letter.
        let base = y as f32
            + match style.anchor().v_pos {
                VPos::Top => font.ascent(),
                VPos::Center => font.ascent() * 0.37,
                VPos::Bottom => font.descent(),
            };
        let (color, mut dots) = (style.color(), Vec::new());
        for letter in text.chars() {
            let id = font.glyph_id(letter);
            let glyph = id.with_scale_and_position(font.scale(), point(left, base));
            left += font.h_advance(id);
            // A space has no outline.
            let Some(outline) = font.outline_glyph(glyph) else {
                continue;
            };
            let corner = outline.px_bounds().min;
            outline.draw(|x, y, covered| {
                let at = (corner.x as i32 + x as i32, corner.y as i32 + y as i32);
                dots.push((at, f64::from(covered)));
            });
        }
        for (at, covered) in dots {
            self.inner.draw_pixel(
                at,
                BackendColor {
                    alpha: color.alpha * covered,
                    ..color
                },
            )?;
        }
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Self::ErrorType>> {
        let font = self.font(style.size());
        let (width, height) = (advance(&font, text), font.height());
        Ok((width.ceil() as u32 / SCALE, height.ceil() as u32 / SCALE))
    }
}
