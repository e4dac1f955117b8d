/** "HLev": whose file it is, in PRAGMA application_id. */
export const EVENT_STORE_APPLICATION_ID = 0x484c6576;

/**
 * Schema steps of the event store.
 *
 * | question | answered by |
 * |---|---|
 * | a home's events by time, either way | the key of `event` |
 * | one entity's, area's, device's, domain's events by time | `series` of the home, then `event_by_series`, merged |
 * | is this event there already? | the key of `event` |
 * | what may go with events before T? | `text_by_age` |
 *
 * `series`: what an entity's events share until somebody moves it: area, device, domain, class, unit, origin. An event names its series, so it keeps the area
 * in which it happened. `text`: attribute sets, weather and users, once a home however often they repeat; `last_us` is no earlier than the last event that
 * uses the row (rounded up to the hour, so that a set in use is written once an hour at most): rows before the retention's moment are used by nobody.
 * Ids are never given twice (AUTOINCREMENT). `generation` rises when ids are deleted, so that other processes forget the ones they remember.
 * `entity.sort` is the id in UTF-16, big-endian: bytes in it order as JavaScript orders strings, and so does `compareEvents`.
 * What the columns of `event` mean stands in event-store-row.ts.
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
];
