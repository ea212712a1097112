//! `docs/scale.md` and its plots: which scenarios are shown, and how.

mod curves;
mod tables;

use std::{fs, io, path::Path};

/// The page, from the project's folder.
pub const PAGE: &str = "docs/scale.md";

const END: &str = "<!-- end of table -->";

/// The plots: path from the project's folder, and content.
pub fn plots() -> Vec<(String, String)> {
    let all = curves::all().into_iter();
    all.map(|(name, plot)| (format!("docs/scale/{name}.svg"), plot.to_svg())).collect()
}

/// The page with its tables as they are now; what stands between them is kept. Fails, saying what is the matter, when a
/// table has no place.
pub fn rewritten(page: &str) -> io::Result<String> {
    tables::all()?.iter().try_fold(page.to_owned(), |page, (name, table)| {
        let begin = format!("<!-- table: {name} -->\n");
        let missing = || io::Error::other(format!("{PAGE} has no place for the table {name}: {begin}{END}"));
        let (before, rest) = page.split_once(&begin).ok_or_else(missing)?;
        let (_, after) = rest.split_once(END).ok_or_else(missing)?;
        Ok(format!("{before}{begin}{table}{END}{after}"))
    })
}

/// Writes the plots, and the tables into the page.
pub fn write(root: &Path) -> io::Result<()> {
    for (path, svg) in plots() {
        let path = root.join(path);
        path.parent().map(fs::create_dir_all).transpose()?;
        fs::write(path, svg)?;
    }
    let page = root.join(PAGE);
    fs::write(&page, rewritten(&fs::read_to_string(&page)?)?)
}
