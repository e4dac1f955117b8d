import type { InfluxClient } from "./client.ts";
import { durationSeconds } from "./influxql.ts";
import { MEASUREMENT } from "./point.ts";
import { checkKept, configure, DAY_SECONDS, type Server } from "./server.ts";

/**
 * InfluxDB 3 (Core and Enterprise): a database has a retention period and no retention policies, points beyond it are taken and never shown, and InfluxQL has no DELETE. Databases and tables are made
 * and dropped over `/api/v3`. Source: docs.influxdata.com, InfluxDB 3 Core API and "Data retention"; read 2026-11.
 */
export function createServer3(client: InfluxClient): Server {
  const { database, bearer: authorization } = client;
  client.askInAddress();

  const server: Server = {
    major: 3,
    retentionPolicy: "",
    canDelete: false,
    tellsTooOld: false,
    keepsSeconds: async () => {
      for (const { columns, values } of (await client.askIfThere("SHOW RETENTION POLICIES")) ?? []) {
        const [owner, duration] = [columns.indexOf("iox::database"), columns.indexOf("duration")];
        const own = values.find((cells) => owner < 0 || cells[owner] === database);
        if (own) return durationSeconds(String(own[duration])) || Number.POSITIVE_INFINITY;
      }
      return undefined;
    },
    setUp: async (seconds) => {
      const kept = await server.keepsSeconds();
      const json = { db: database, retention_period: `${Math.ceil(seconds / DAY_SECONDS)}d` };
      const path = "/api/v3/configure/database";
      if (kept === undefined) await configure(client, { method: "POST", path, json, authorization }, [409]);
      else if (kept < seconds) await configure(client, { method: "PUT", path, json, authorization });
      await checkKept(server, client, seconds);
    },
    drop: async () => {
      const query = { db: database, table: MEASUREMENT };
      await configure(client, { method: "DELETE", path: "/api/v3/configure/table", query, authorization }, [404]);
    },
  };
  return server;
}
