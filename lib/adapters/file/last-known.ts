import { readFile, rename } from "node:fs/promises";
import { promisify } from "node:util";
import { crc32, gunzip, gzip } from "node:zlib";
import * as z from "zod";
import type { Clock } from "../../base/clock.ts";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { LastKnownEntity, LastKnownImage, LastKnownStore } from "../../relay/ports.ts";
import { writeWhole } from "./write-whole.ts";

const [zip, unzip] = [promisify(gzip), promisify(gunzip)];

/** In the file itself: another number is another form. */
const FORMAT = "hearthline-last-known-1";
/** It is written every minute: speed counts for more than size. */
const ZIP_LEVEL = 1;
/** 200,000 entities are about 40 MB. */
const MAX_BYTES = 268_435_456;

const headSchema = z.object({
  format: z.literal(FORMAT),
  home_id: z.string(),
  relay_id: z.string(),
  sequence: z.int().nonnegative(),
  connected_since: z.string().optional(),
  heard: z.string().optional(),
  heard_at_ms: z.number().optional(),
  open_since: z.string().optional(),
  open_at_ms: z.number().optional(),
  set_back_ms: z.number().optional(),
  unsent_since: z.string().optional(),
  entities: z.int().nonnegative(),
  crc32: z.int().nonnegative(),
});
const rowSchema = z.tuple([z.string(), z.string(), z.string(), z.string(), z.literal([0, 1])]);

export interface FileLastKnownOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The last-known table as one file: gzip of lines, the first says what it is and the CRC-32 of the others, each of which is one entity. Written beside, synced and
 * renamed, so that it is there whole or as it was. A file that is damaged is set aside under another name.
 */
export function createFileLastKnown({ path, clock, log }: FileLastKnownOptions): LastKnownStore {
  return {
    load: async () => {
      let bytes: Buffer;
      try {
        bytes = await readFile(path);
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw failed("read", path, thrown);
      }
      try {
        return imageOf((await unzip(bytes, { maxOutputLength: MAX_BYTES })).toString());
      } catch (thrown) {
        const aside = `${path}.damaged-${clock.nowMs()}`;
        await rename(path, aside).catch(() => {});
        log.error(
          "The last-known table is damaged: it was set aside and is begun anew; what was missed before now is not asked for.",
          {
            error: thrown,
            aside,
          },
        );
        return undefined;
      }
    },
    save: async (image) => {
      try {
        await writeWhole(path, await zip(textOf(image), { level: ZIP_LEVEL }));
      } catch (thrown) {
        throw failed("write", path, thrown);
      }
    },
  };
}

function textOf({
  homeId,
  relayId,
  sequence,
  connectedSince,
  heard,
  heardAtMs,
  openSince,
  openAtMs,
  setBackMs,
  unsentSince,
  entities,
}: LastKnownImage): string {
  const lines: string[] = [];
  for (const [id, { state, lastChanged, lastUpdated, isRemoved }] of entities)
    lines.push(JSON.stringify([id, state, lastChanged, lastUpdated, isRemoved ? 1 : 0]));
  const body = lines.join("\n");
  const head: z.infer<typeof headSchema> = {
    format: FORMAT,
    home_id: homeId,
    relay_id: relayId,
    sequence,
    ...(connectedSince !== undefined && { connected_since: connectedSince }),
    ...(heard !== undefined && { heard }),
    ...(heardAtMs !== undefined && { heard_at_ms: heardAtMs }),
    ...(openSince !== undefined && { open_since: openSince }),
    ...(openAtMs !== undefined && { open_at_ms: openAtMs }),
    ...(setBackMs !== undefined && { set_back_ms: setBackMs }),
    ...(unsentSince !== undefined && { unsent_since: unsentSince }),
    entities: lines.length,
    crc32: crc32(body),
  };
  return `${JSON.stringify(head)}\n${body}`;
}

/** @throws Error for anything that `textOf` did not write */
function imageOf(text: string): LastKnownImage {
  const end = text.indexOf("\n");
  const head = headSchema.parse(JSON.parse(text.slice(0, end)));
  const body = text.slice(end + 1);
  if (crc32(body) !== head.crc32) throw new Error("Its checksum is wrong.");
  const entities = (body === "" ? [] : body.split("\n")).map((line): readonly [string, LastKnownEntity] => {
    const [id, state, lastChanged, lastUpdated, removed] = rowSchema.parse(JSON.parse(line));
    return [id, { state, lastChanged, lastUpdated, isRemoved: removed === 1 }];
  });
  if (entities.length !== head.entities) throw new Error("It has not as many entities as it says.");
  return {
    homeId: head.home_id,
    relayId: head.relay_id,
    sequence: head.sequence,
    ...(head.connected_since !== undefined && { connectedSince: head.connected_since }),
    ...(head.heard !== undefined && { heard: head.heard }),
    ...(head.heard_at_ms !== undefined && { heardAtMs: head.heard_at_ms }),
    ...(head.open_since !== undefined && { openSince: head.open_since }),
    ...(head.open_at_ms !== undefined && { openAtMs: head.open_at_ms }),
    ...(head.set_back_ms !== undefined && { setBackMs: head.set_back_ms }),
    ...(head.unsent_since !== undefined && { unsentSince: head.unsent_since }),
    entities,
  };
}

const failed = (what: string, path: string, thrown: unknown) =>
  new HearthlineError("spool_failed", `Tried to ${what} the last-known table "${path}": ${messageOf(thrown)}`, {
    cause: thrown,
  });
