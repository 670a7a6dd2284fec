-- The state of each alert rule, so that a restart neither forgets that one fires nor tells it twice. Its numbers are those
-- of a released figure, and go with the next one.
CREATE TABLE alert (
    venue          TEXT    NOT NULL, -- id of the venue, as configured
    name           TEXT    NOT NULL, -- name of the rule, as configured
    rule           TEXT    NOT NULL, -- the rule in words; with other words it is another rule and begins anew
    state          TEXT    NOT NULL, -- quiet, firing or no_data
    since_secs     INTEGER NOT NULL, -- since when it is in this state, by the venue's clock, epoch seconds
    judged_to_secs INTEGER NOT NULL, -- end of the newest window that was looked at, epoch seconds
    beyond         INTEGER NOT NULL, -- windows in a row that were beyond what the rule allows, a count
    back           INTEGER NOT NULL, -- windows in a row that were back within it, a count
    value          INTEGER,          -- the newest figure in whole units of its metric; NULL when held back
    low            INTEGER,          -- lower end of its 80 % band, same unit; NULL when held back
    high           INTEGER,          -- upper end of its 80 % band, same unit; NULL when held back
    PRIMARY KEY (venue, name),
    CHECK (state IN ('quiet', 'firing', 'no_data')),
    CHECK ((value IS NULL) = (low IS NULL) AND (value IS NULL) = (high IS NULL))
) STRICT, WITHOUT ROWID;
