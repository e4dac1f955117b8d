import type { InfluxClient } from "./client.ts";
import { durationSeconds, quotedName } from "./influxql.ts";
import { checkKept, type Server, shardSeconds } from "./server.ts";

/** A retention policy of our own, so that a database which others use stays theirs. */
const POLICY = "hearthline";
/** The longest duration that InfluxDB knows: 64-bit nanoseconds. */
const LONGEST_SECONDS = 9_223_369_200;

export function createServer1(client: InfluxClient): Server {
  const database = quotedName(client.database);

  /** Names and durations; undefined: no such database. */
  async function policies(): Promise<ReadonlyMap<string, number> | undefined> {
    const found = await client.askIfThere(`SHOW RETENTION POLICIES ON ${database}`);
    const rows = found?.flatMap(({ columns, values }) =>
      values.map((cells) => {
        const cell = (name: string): string => String(cells[columns.indexOf(name)]);
        return [cell("name"), durationSeconds(cell("duration")) || Number.POSITIVE_INFINITY] as const;
      }),
    );
    return rows && new Map(rows);
  }

  const server: Server = {
    major: 1,
    retentionPolicy: POLICY,
    canDelete: true,
    tellsTooOld: true,
    keepsSeconds: async () => (await policies())?.get(POLICY),
    setUp: async (wanted) => {
      const seconds = Math.min(wanted, LONGEST_SECONDS);
      const there = await policies();
      const kept = there?.get(POLICY);
      const [duration, shard] = [seconds, shardSeconds(seconds)].map((each) => `${Math.ceil(each / 3600)}h`);
      if (!there) {
        const how = `DURATION ${duration} REPLICATION 1 SHARD DURATION ${shard} NAME ${quotedName(POLICY)}`;
        await client.ask(`CREATE DATABASE ${database} WITH ${how}`);
      } else if (kept === undefined) {
        const how = `DURATION ${duration} REPLICATION 1 SHARD DURATION ${shard}`;
        await client.ask(`CREATE RETENTION POLICY ${quotedName(POLICY)} ON ${database} ${how}`);
      } else if (kept < seconds) {
        const how = `DURATION ${duration} SHARD DURATION ${shard}`;
        await client.ask(`ALTER RETENTION POLICY ${quotedName(POLICY)} ON ${database} ${how}`);
      }
      await checkKept(server, client, seconds);
    },
    drop: async () => {
      const there = await policies();
      if (!there?.has(POLICY)) return;
      // The database at once, so that a user who may not do it is refused before anything is gone.
      if (there.size === 1) await client.askIfThere(`DROP DATABASE ${database}`);
      else await client.askIfThere(`DROP RETENTION POLICY ${quotedName(POLICY)} ON ${database}`);
    },
  };
  return server;
}
