-- The cells of a sheet are read together or not at all, so they stand in its row. Of the venue's days in tables of zone by zone
-- it is kept besides what they add up to, so that a year of them is asked for as quickly as a week.

ALTER TABLE sheet ADD COLUMN cells TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(cells)); -- JSON: what is told by cell_row and cell_column, each [value, low, high]; ids of zones, minutes and visits or percent

UPDATE sheet SET cells = (
    SELECT json_group_object(of_row.cell_row, json(of_row.told)) FROM (
        SELECT c.cell_row AS cell_row, json_group_object(c.cell_column, json_array(c.value, c.low, c.high)) AS told
        FROM sheet_cell AS c
        WHERE c.venue = sheet.venue AND c.zone = sheet.zone AND c.subject = sheet.subject AND c.step = sheet.step
            AND c.from_secs = sheet.from_secs
        GROUP BY c.cell_row
    ) AS of_row
);

DROP TABLE sheet_cell;

CREATE TABLE sheet_sum (
    venue     TEXT    NOT NULL, -- id of the venue, as configured
    subject   TEXT    NOT NULL, -- flows or cross_visits: of the whole venue, by days
    from_secs INTEGER NOT NULL, -- start of the 32 days in which its sheets start, epoch seconds; a multiple of 2,764,800
    sheets    INTEGER NOT NULL, -- how many sheets it adds up, those without a cell as well
    cells     TEXT    NOT NULL, -- JSON: sums by cell_row and cell_column, each [value, low, high, sheets that tell it]
    PRIMARY KEY (venue, subject, from_secs),
    CHECK (from_secs % 2764800 = 0),
    CHECK (json_valid(cells))
) STRICT, WITHOUT ROWID;
