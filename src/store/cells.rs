//! Cells as the database keeps them: JSON, an object of rows of which each is an object of columns, with whole numbers in it and
//! nothing else. An id of a zone needs no escape, so that nothing is copied to be read.

use std::collections::BTreeMap;

use crate::release::SheetCell;

/// Value, low and high of a cell.
type Told = (u32, u32, u32);
/// The same added up, and of how many sheets.
type Summed = (u32, u32, u32, u32);
type Rows<'a, T> = BTreeMap<&'a str, BTreeMap<&'a str, T>>;

/// What a cell adds up to over the sheets that tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellSum {
    /// Where from; the one zone.
    pub row: String,
    /// Where to; the other zone.
    pub column: String,
    /// How many, or how many percent: the sums of values, of lower ends and of upper ends.
    pub sum: (u32, u32, u32),
    /// How many sheets tell the cell, at least 1.
    pub sheets: u32,
}

/// Sums of cells by row and column.
#[derive(Debug, Default)]
pub(super) struct Sums(BTreeMap<String, BTreeMap<String, Summed>>);

/// Cells as text.
pub(super) fn to_text(cells: &[SheetCell]) -> String {
    let mut rows: Rows<'_, Told> = Rows::new();
    for cell in cells {
        rows.entry(&cell.row).or_default().insert(&cell.column, cell.value);
    }
    as_json(&rows)
}

/// The cells of a text, in order of row and column; `None` where it is none that is written here.
pub(super) fn of_text(text: &str) -> Option<Vec<SheetCell>> {
    let rows: Rows<'_, Told> = serde_json::from_str(text).ok()?;
    let cell = |row: &str, (column, value): (&str, Told)| SheetCell {
        row: row.to_owned(),
        column: column.to_owned(),
        value,
    };
    Some(
        rows.into_iter()
            .flat_map(|(row, columns)| columns.into_iter().map(move |of| cell(row, of)))
            .collect(),
    )
}

impl Sums {
    /// Adds the cells of a sheet; `None` where the text is none that is written here.
    pub(super) fn add_sheet(&mut self, text: &str) -> Option<()> {
        let rows: Rows<'_, Told> = serde_json::from_str(text).ok()?;
        self.add(rows, |(value, low, high)| (value, low, high, 1));
        Some(())
    }

    /// Adds what other sheets added up to; `None` where the text is none that is written here.
    pub(super) fn add_sums(&mut self, text: &str) -> Option<()> {
        self.add(serde_json::from_str(text).ok()?, |sums: Summed| sums);
        Some(())
    }

    fn add<T>(&mut self, rows: Rows<'_, T>, summed: impl Fn(T) -> Summed) {
        for (row, columns) in rows {
            let of_row = match self.0.get_mut(row) {
                Some(of_row) => of_row,
                None => self.0.entry(row.to_owned()).or_default(),
            };
            for (column, cell) in columns {
                let more = summed(cell);
                match of_row.get_mut(column) {
                    Some(sum) => *sum = plus(*sum, more),
                    None => drop(of_row.insert(column.to_owned(), more)),
                }
            }
        }
    }

    /// The sums as text.
    pub(super) fn to_text(&self) -> String {
        as_json(&self.0)
    }

    /// The sums, in order of row and column.
    pub(super) fn into_cells(self) -> Vec<CellSum> {
        let rows = self.0.into_iter();
        rows.flat_map(|(row, columns)| {
            columns.into_iter().map(move |(column, (value, low, high, sheets))| CellSum {
                row: row.clone(),
                column,
                sum: (value, low, high),
                sheets,
            })
        })
        .collect()
    }
}

fn plus(a: Summed, b: Summed) -> Summed {
    (a.0.saturating_add(b.0), a.1.saturating_add(b.1), a.2.saturating_add(b.2), a.3.saturating_add(b.3))
}

#[expect(clippy::expect_used, reason = "maps of strings to whole numbers always have a JSON form")]
fn as_json(rows: &impl serde::Serialize) -> String {
    serde_json::to_string(rows).expect("maps of strings to whole numbers have a JSON form")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(row: &str, column: &str, value: u32) -> SheetCell {
        SheetCell { row: row.into(), column: column.into(), value: (value, value - 5, value + 5) }
    }

    #[test]
    fn cells_come_back_in_order_as_they_were_written() {
        let cells = [cell("", "hall", 125), cell("hall", "", 110), cell("hall", "foyer", 40)];
        let text = to_text(&[cells[2].clone(), cells[0].clone(), cells[1].clone()]);
        assert_eq!(text, r#"{"":{"hall":[125,120,130]},"hall":{"":[110,105,115],"foyer":[40,35,45]}}"#);
        assert_eq!(of_text(&text).unwrap(), cells);
        assert_eq!((to_text(&[]).as_str(), of_text("{}")), ("{}", Some(Vec::new())));
    }

    #[test]
    fn sums_say_of_how_many_sheets_they_are_however_they_are_put_together() {
        let days = [[cell("a", "b", 40), cell("b", "a", 15)], [cell("a", "b", 25), cell("a", "c", 30)]];
        let mut sums = Sums::default();
        for day in &days {
            sums.add_sheet(&to_text(day)).unwrap();
        }
        let mut again = Sums::default();
        again.add_sums(&sums.to_text()).unwrap();
        again.add_sheet(&to_text(&days[0])).unwrap();
        let sum = |row: &str, column: &str, sum, sheets| CellSum {
            row: row.into(),
            column: column.into(),
            sum,
            sheets,
        };
        assert_eq!(
            sums.into_cells(),
            [sum("a", "b", (65, 55, 75), 2), sum("a", "c", (30, 25, 35), 1), sum("b", "a", (15, 10, 20), 1)]
        );
        assert_eq!(again.into_cells()[0], sum("a", "b", (105, 90, 120), 3));
    }

    #[test]
    fn what_is_not_written_here_is_not_read() {
        for text in
            ["", "[]", r#"{"a":{"b":[1,2]}}"#, r#"{"a":{"b":[1,2,-3]}}"#, r#"{"a":{"b":"x"}}"#, r#"{"a":1}"#]
        {
            assert_eq!(of_text(text), None, "{text}");
            assert_eq!(Sums::default().add_sheet(text), None, "{text}");
            assert_eq!(Sums::default().add_sums(text), None, "{text}");
        }
    }
}
