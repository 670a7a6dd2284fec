-- What may rest: judged figures, the versions they refer to, and what the office was told. Every time is in seconds
-- since 1970-01-01T00:00Z. There is no column for a device, a pseudonym or a visit, and a test holds the list.

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY, -- what is said about this data directory; 'kind' is the only word so far
    value TEXT NOT NULL              -- what is said; for 'kind': real or replay
) STRICT, WITHOUT ROWID;

-- A figure is written once and never changed: the key is its window.
CREATE TABLE figure (
    venue              TEXT    NOT NULL, -- id of the venue, as configured
    scope              TEXT    NOT NULL, -- id of the zone or zone group; '' is the whole venue
    metric             TEXT    NOT NULL, -- word of the metric, as in the API
    step               TEXT    NOT NULL, -- length of the window: 5m, 15m, 1h or 1d
    from_secs          INTEGER NOT NULL, -- start of the window, epoch seconds
    to_secs            INTEGER NOT NULL, -- first second after the window, epoch seconds
    state              TEXT    NOT NULL, -- final or held_back
    value              INTEGER,          -- the figure in whole units of its metric; NULL when held back
    low                INTEGER,          -- lower end of the 80 % band, same unit; NULL when held back
    high               INTEGER,          -- upper end of the 80 % band, same unit; NULL when held back
    root_mean_centi    INTEGER,          -- mean of the root of the crowd's count, hundredths; NULL unless occupancy is shown
    flags              INTEGER NOT NULL, -- bits: 1 incomplete, 2 uncalibrated, 4 rekeyed, 8 replay
    coverage_permille  INTEGER NOT NULL, -- share of the window in which sensors were alive, thousandths
    thresholds_version INTEGER NOT NULL, -- version of the thresholds it was made under, a count
    calibration        INTEGER NOT NULL, -- version of the calibration it was made under, a count; 0 is none
    PRIMARY KEY (venue, scope, metric, step, from_secs),
    CHECK (from_secs < to_secs),
    CHECK (state IN ('final', 'held_back')),
    CHECK ((state = 'final') = (value IS NOT NULL)),
    CHECK ((value IS NULL) = (low IS NULL) AND (value IS NULL) = (high IS NULL)),
    CHECK (root_mean_centi IS NULL OR value IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- How far a venue's figures reach, so that a start need not read them all.
CREATE TABLE venue_reach (
    venue           TEXT    NOT NULL PRIMARY KEY, -- id of the venue, as configured
    newest_end_secs INTEGER NOT NULL              -- latest to_secs of any of its figures, epoch seconds
) STRICT, WITHOUT ROWID;

CREATE TABLE thresholds (
    venue   TEXT    NOT NULL, -- id of the venue, as configured
    version INTEGER NOT NULL, -- counts up from 1 with every change of the configured thresholds
    json    TEXT    NOT NULL, -- the thresholds as configured; each key of the JSON names its unit
    PRIMARY KEY (venue, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE calibration (
    venue          TEXT    NOT NULL, -- id of the venue, as configured
    version        INTEGER NOT NULL, -- counts up from 1 with every change of the calibration
    scale_milli    INTEGER NOT NULL, -- A, people for one unit of v, thousandths
    knee_centi     INTEGER,          -- v* above which the law is square, hundredths; NULL while it is not frozen
    kappa_permille INTEGER NOT NULL, -- relative width of the band, thousandths
    counts         INTEGER NOT NULL, -- how many head counts stand behind it, a count
    people_sum     INTEGER NOT NULL, -- sum of the head counts, people
    root_sum_centi INTEGER NOT NULL, -- sum of v over the counted windows, hundredths
    made_at_secs   INTEGER NOT NULL, -- when it was made by the venue's clock, epoch seconds
    PRIMARY KEY (venue, version)
) STRICT, WITHOUT ROWID;

-- An id is never given twice: the calibration knows a count by it.
CREATE TABLE head_count (
    id              INTEGER PRIMARY KEY AUTOINCREMENT, -- number of the row
    venue           TEXT    NOT NULL, -- id of the venue, as configured
    zone            TEXT    NOT NULL, -- id of the zone, as configured
    from_secs       INTEGER NOT NULL, -- start of the count, epoch seconds
    to_secs         INTEGER NOT NULL, -- first second after the count, epoch seconds
    people          INTEGER NOT NULL, -- people counted by eye in the zone, on average over the count
    entered_at_secs INTEGER NOT NULL, -- when it was entered by the machine's clock, epoch seconds
    CHECK (from_secs < to_secs),
    CHECK (people >= 0)
) STRICT;

CREATE INDEX head_count_of_venue ON head_count (venue, from_secs, zone);
