-- The list of objections: one row a receipt, most of them decoys. Rows lie in the order of a hash, so that nothing tells
-- which came first; there is no time, no place and no device. A mark is too short to point at anyone.

CREATE TABLE objection (
    receipt BLOB    NOT NULL PRIMARY KEY, -- 32 bytes, the hash of a random receipt that only its holder has
    bits    INTEGER NOT NULL,             -- length of the mark in bits: 20, or 28 once the short ones are many
    mark    INTEGER NOT NULL,             -- the mark: that many bits of a keyed hash, or random bits in a decoy
    CHECK (length(receipt) = 32),
    CHECK (bits IN (20, 28) AND mark >= 0 AND mark < (1 << bits))
) STRICT, WITHOUT ROWID;

CREATE TABLE objection_key (
    only_row    INTEGER NOT NULL PRIMARY KEY, -- always 1: there is one list and one key
    check_value BLOB    NOT NULL,             -- 16 bytes by which the list knows its key; they tell nothing about a mark
    CHECK (only_row = 1 AND length(check_value) = 16)
) STRICT;
