/**
 * Limits of Timestream for LiveAnalytics. Source: its developer guide, "Quotas", and its API models of 2018-11-01; read 2026-11.
 * Not met here: 128 dimensions (3 used), 8,192 measure names a table (2 used), 256 measures a table (15 used).
 */
export const RECORDS_MAX = 100;
/** A record: 2 KB, as the guide's page on metering counts it. A little less is used, as nobody says whether that page counts all. */
export const RECORD_MAX_BYTES = 2_000;
export const QUERY_MAX_CHARACTERS = 262_144;
export const MAGNETIC_MAX_DAYS = 73_000;
/** A query may take 60 s; the client's own limit of an attempt is 10 s. */
export const QUERY_EXTRA_MS = 55_000;
/** Databases and tables. */
export const NAME = /^[a-zA-Z0-9_.-]{3,256}$/;
