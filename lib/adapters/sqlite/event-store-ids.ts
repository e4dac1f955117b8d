import { hash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { HomeEvent } from "../../event/index.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { type RowIds, tagsOf } from "./event-store-row.ts";

/** Characters of texts whose ids are remembered: a thousand chatty entities with attributes of 500 characters fit many times over. */
const REMEMBERED_TEXT_CHARACTERS = 4_000_000;
/** Characters of homes, entities and series that are remembered: about 100,000 series. */
const REMEMBERED_NAME_CHARACTERS = 16_000_000;
const HOUR_US = 3_600_000_000;

interface Text {
  readonly id: number;
  lastUs: number;
}

export interface IdTables {
  /** To be called first in each write transaction: forgets ids that another process has deleted. */
  begin(): void;
  /** The ids for one event; rows that are missing are made. Only inside a write transaction. */
  idsOf(event: HomeEvent): RowIds;
  /** To be called when a transaction was rolled back: the ids it made do not exist. */
  forget(): void;
}

export function createIdTables(db: DatabaseSync): IdTables {
  const generation = db.prepare("SELECT value FROM generation");
  const findHome = db.prepare("SELECT id FROM home WHERE name = ?");
  const addHome = db.prepare("INSERT INTO home (name) VALUES (?)");
  const findEntity = db.prepare("SELECT id FROM entity WHERE home = ? AND name = ?");
  const addEntity = db.prepare("INSERT INTO entity (home, name, sort) VALUES (?, ?, ?)");
  const findSeries = db.prepare("SELECT id FROM series WHERE entity = ? AND tags = ?");
  const addSeries = db.prepare(
    "INSERT INTO series (home, entity, area, device, domain, tags) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const findText = db.prepare("SELECT id, last_us FROM text WHERE home = ? AND hash = ?");
  const addText = db.prepare("INSERT INTO text (home, hash, body, last_us) VALUES (?, ?, ?, ?)");
  const touchText = db.prepare("UPDATE text SET last_us = max(last_us, ?) WHERE id = ?");

  const names = new BoundedCache<number>(REMEMBERED_NAME_CHARACTERS);
  const texts = new BoundedCache<Text>(REMEMBERED_TEXT_CHARACTERS);
  let seenGeneration: unknown;

  function remembered(
    key: string,
    find: () => Record<string, unknown> | undefined,
    add: () => number | bigint,
  ): number {
    const known = names.get(key);
    if (known !== undefined) return known;
    const id = Number(find()?.id ?? add());
    names.set(key, id);
    return id;
  }

  function textId(home: number, body: string, atUs: number): number {
    const key = `${home} ${body}`;
    let text = texts.get(key);
    if (!text) {
      text = findOrAddText(home, body, atUs);
      texts.set(key, text);
    }
    if (atUs > text.lastUs) {
      text.lastUs = hourAfter(atUs);
      touchText.run(text.lastUs, text.id);
    }
    return text.id;
  }

  function findOrAddText(home: number, body: string, atUs: number): Text {
    // 128 bits of SHA-256: two different texts with the same do not happen.
    const digest = hash("sha256", body, "buffer").subarray(0, 16);
    const row = findText.get(home, digest);
    if (row) return { id: Number(row.id), lastUs: Number(row.last_us) };
    const lastUs = hourAfter(atUs);
    return { id: Number(addText.run(home, digest, body, lastUs).lastInsertRowid), lastUs };
  }

  function forget(): void {
    names.clear();
    texts.clear();
  }

  return {
    forget,
    begin: () => {
      const now = generation.get()?.value;
      if (now !== seenGeneration) forget();
      seenGeneration = now;
    },
    idsOf: (event) => {
      const { homeId, entityId, atUs } = event;
      const home = remembered(
        `h${homeId}`,
        () => findHome.get(homeId),
        () => addHome.run(homeId).lastInsertRowid,
      );
      const entity = remembered(
        `e${home} ${entityId}`,
        () => findEntity.get(home, entityId),
        () => addEntity.run(home, entityId, sortKey(entityId)).lastInsertRowid,
      );
      const tags = tagsOf(event);
      const tagText = JSON.stringify(tags);
      const series = remembered(
        `s${entity} ${tagText}`,
        () => findSeries.get(entity, tagText),
        () => addSeries.run(home, entity, tags[0], tags[1], tags[2], tagText).lastInsertRowid,
      );
      const { weather, context } = event;
      const attributes = JSON.stringify(event.attributes);
      return {
        home,
        entity,
        series,
        user: context.userId === undefined ? null : textId(home, context.userId, atUs),
        attributes: attributes === "{}" ? null : textId(home, attributes, atUs),
        weather: weather === undefined ? null : textId(home, JSON.stringify(weather), atUs),
      };
    },
  };
}

const hourAfter = (atUs: number): number => Math.ceil(atUs / HOUR_US) * HOUR_US;

/** UTF-16, big-endian: SQLite compares it byte by byte just as JavaScript compares strings. */
export const sortKey = (text: string): Uint8Array => Buffer.from(text, "utf16le").swap16();
