-- Who may come in. A name and a hash of a password are personal data of the staff, and nothing else here is anybody's: no
-- row tells what somebody looked at, or from where.

CREATE TABLE account (
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- number of the account, never given twice
    name         TEXT    NOT NULL UNIQUE, -- what its holder signs in with, in small letters
    password     TEXT    NOT NULL, -- argon2id of the password, with its salt and its parameters, as a PHC string
    made_at_secs INTEGER NOT NULL -- when it was made by the machine's clock, epoch seconds
) STRICT;

CREATE TABLE account_role (
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, -- number of the account
    venue   TEXT    NOT NULL, -- id of the venue, as configured; * is every venue
    role    TEXT    NOT NULL, -- viewer, operator or admin
    PRIMARY KEY (account, venue),
    CHECK (role IN ('viewer', 'operator', 'admin'))
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    hash         BLOB    NOT NULL PRIMARY KEY, -- 32 bytes, the hash of what the browser's cookie says
    account      INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, -- number of the account
    made_at_secs INTEGER NOT NULL, -- when somebody signed in, epoch seconds
    seen_at_secs INTEGER NOT NULL, -- when it was last used, to some minutes, epoch seconds
    CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_of_account ON session (account);

CREATE TABLE api_token (
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- number of the token, never given twice
    label        TEXT    NOT NULL, -- what it is for, in the words of whoever made it
    hash         BLOB    NOT NULL UNIQUE, -- 32 bytes, the hash of the token
    made_at_secs INTEGER NOT NULL, -- when it was made by the machine's clock, epoch seconds
    CHECK (length(hash) = 32)
) STRICT;

CREATE TABLE api_token_role (
    token INTEGER NOT NULL REFERENCES api_token (id) ON DELETE CASCADE, -- number of the token
    venue TEXT    NOT NULL, -- id of the venue, as configured; * is every venue
    role  TEXT    NOT NULL, -- viewer, operator or admin
    PRIMARY KEY (token, venue),
    CHECK (role IN ('viewer', 'operator', 'admin'))
) STRICT, WITHOUT ROWID;
