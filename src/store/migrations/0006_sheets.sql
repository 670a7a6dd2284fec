-- Tables of visits that were judged: from zone to zone, zones visited together, and how long. A cell that is not told has no
-- row, so that none and few look alike.

CREATE TABLE sheet (
    venue              TEXT    NOT NULL, -- id of the venue, as configured
    zone               TEXT    NOT NULL, -- id of the zone; '' is the whole venue
    subject            TEXT    NOT NULL, -- flows, cross_visits, dwell_default, dwell_meraki or dwell_cmx
    step               TEXT    NOT NULL, -- length of the window: 1h or 1d
    from_secs          INTEGER NOT NULL, -- start of the window, epoch seconds
    to_secs            INTEGER NOT NULL, -- first second after the window, epoch seconds
    held_back          INTEGER,          -- visits counted in cells that are not told, a multiple of 5; NULL where not told
    flags              INTEGER NOT NULL, -- bits: 1 incomplete, 2 uncalibrated, 4 rekeyed, 8 replay
    coverage_permille  INTEGER NOT NULL, -- share of the window in which sensors were alive, thousandths
    thresholds_version INTEGER NOT NULL, -- version of the thresholds it was made under, a count
    PRIMARY KEY (venue, zone, subject, step, from_secs),
    CHECK (from_secs < to_secs)
) STRICT, WITHOUT ROWID;

CREATE TABLE sheet_cell (
    venue       TEXT    NOT NULL, -- id of the venue, as configured
    zone        TEXT    NOT NULL, -- id of the sheet's zone; '' is the whole venue
    subject     TEXT    NOT NULL, -- the sheet's subject
    step        TEXT    NOT NULL, -- length of the sheet's window
    from_secs   INTEGER NOT NULL, -- start of the sheet's window, epoch seconds
    cell_row    TEXT    NOT NULL, -- id of the zone left, or of the one zone, or minutes from which on; '' is outside
    cell_column TEXT    NOT NULL, -- id of the next zone, or of the other zone, or minutes up to which; '' is outside, or no end
    value       INTEGER NOT NULL, -- visits, or percent of visits
    low         INTEGER NOT NULL, -- lower end of the 80 % band, same unit
    high        INTEGER NOT NULL, -- upper end of the 80 % band, same unit
    PRIMARY KEY (venue, zone, subject, step, from_secs, cell_row, cell_column)
) STRICT, WITHOUT ROWID;
