-- What the operator's own door counters say: people who went in and out at a named entrance, hour by hour. A number of fewer
-- than k is not kept, and none of them is of anybody whom a sensor heard.

CREATE TABLE door_count (
    venue           TEXT    NOT NULL, -- id of the venue, as configured
    door            TEXT    NOT NULL, -- id of the counter, as its operator calls it
    from_secs       INTEGER NOT NULL, -- start of the hour, epoch seconds
    to_secs         INTEGER NOT NULL, -- first second after the hour, epoch seconds
    people_in       INTEGER,          -- people who came in; NULL when fewer than k
    people_out      INTEGER,          -- people who went out; NULL when fewer than k
    entered_at_secs INTEGER NOT NULL, -- when it was entered by the machine's clock, epoch seconds
    PRIMARY KEY (venue, door, from_secs),
    CHECK (from_secs < to_secs)
) STRICT, WITHOUT ROWID;

CREATE INDEX door_count_in_time ON door_count (venue, from_secs, door);
