/** "HLev": whose file it is, in PRAGMA application_id. */
export const EVENT_STORE_APPLICATION_ID = 0x484c6576;

/**
 * Schema steps of the event store. Version 1 had a row for each event; its tables are emptied into segments and dropped by event-store-migrate.ts.
 *
 * Version 2: events live in segments, immutable blocks of one home and one UTC day (lib/series/columns). Each write adds one for each day; small ones are merged.
 * `seq`: of two events at one key with equal rank the one in the segment of the higher `seq` stays. `closed`: made by compaction: such segments of one day hold no key
 * twice, and each knows which entities lie in it (`first_entity` to `last_entity`, by code units; NULL: not known). Ids are never given twice (AUTOINCREMENT), so
 * that what another process remembers by them is right or gone.
 * `day.state`: 0: no rollups; 1: as compaction left it; 2: written to since. `rollup.body`: the hours of one entity's day (event-store-rollups.ts); NULL: ask
 * the events. An entity without a row has no events in a day of state 1 or 2. (`rollup` has row ids because an index tree puts all but 1,000 bytes of a row on pages
 * of their own: 11 bytes an event instead of 5.)
 */
export const EVENT_STORE_STEPS: readonly string[] = [
  `
  CREATE TABLE generation (value INTEGER NOT NULL);
  INSERT INTO generation VALUES (0);
  CREATE TABLE home (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE entity (
    id INTEGER PRIMARY KEY AUTOINCREMENT, home INTEGER NOT NULL, name TEXT NOT NULL, sort BLOB NOT NULL, UNIQUE (home, name)
  ) STRICT;
  CREATE TABLE series (
    id INTEGER PRIMARY KEY AUTOINCREMENT, home INTEGER NOT NULL, entity INTEGER NOT NULL,
    area TEXT, device TEXT, domain TEXT NOT NULL, tags TEXT NOT NULL, UNIQUE (entity, tags)
  ) STRICT;
  CREATE INDEX series_by_home ON series (home);
  CREATE TABLE text (
    id INTEGER PRIMARY KEY AUTOINCREMENT, home INTEGER NOT NULL, hash BLOB NOT NULL, body TEXT NOT NULL, last_us INTEGER NOT NULL,
    UNIQUE (home, hash)
  ) STRICT;
  CREATE INDEX text_by_age ON text (home, last_us);
  CREATE TABLE event (
    home INTEGER NOT NULL, at_us INTEGER NOT NULL, entity INTEGER NOT NULL, removed INTEGER NOT NULL,
    series INTEGER NOT NULL, flags INTEGER NOT NULL, unchanged_us INTEGER NOT NULL, state TEXT NOT NULL, value REAL,
    old_state TEXT, lasted NUMERIC, local NUMERIC, context TEXT NOT NULL, parent TEXT, user INTEGER, attributes INTEGER, weather INTEGER,
    PRIMARY KEY (home, at_us, entity, removed)
  ) WITHOUT ROWID;
  CREATE INDEX event_by_series ON event (series, at_us, removed);
  `,
  `
  CREATE TABLE segment (
    id INTEGER PRIMARY KEY AUTOINCREMENT, home INTEGER NOT NULL, day INTEGER NOT NULL, seq INTEGER NOT NULL, closed INTEGER NOT NULL,
    count INTEGER NOT NULL, bytes INTEGER NOT NULL, min_us INTEGER NOT NULL, max_us INTEGER NOT NULL, first_entity TEXT, last_entity TEXT,
    body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX segment_by_day ON segment (home, day, seq, closed, count, bytes, min_us, max_us, first_entity, last_entity);
  CREATE TABLE day (
    home INTEGER NOT NULL, day INTEGER NOT NULL, state INTEGER NOT NULL, PRIMARY KEY (home, day)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE rollup (home INTEGER NOT NULL, entity TEXT NOT NULL, day INTEGER NOT NULL, body BLOB) STRICT;
  CREATE UNIQUE INDEX rollup_by_entity ON rollup (home, entity, day);
  CREATE INDEX rollup_by_day ON rollup (home, day);
  `,
];
