import type { Clock } from "../../base/clock.ts";

/** Of OLD; what it wants of them. They go into the header of requests and nowhere else. */
export interface OldSecrets {
  /** HEARTHLINE_OLD_TOKEN */
  readonly token?: string | undefined;
  /** HEARTHLINE_OLD_USER */
  readonly user?: string | undefined;
  /** HEARTHLINE_OLD_PASSWORD */
  readonly password?: string | undefined;
}

export interface OldOptions {
  readonly clock: Clock;
  /** Default: the platform's. Events are written by the sinks of this folder, which take the platform's. */
  readonly fetch?: typeof fetch;
  /** So long OLD may take to answer one request. Default 60,000 (InfluxDB) and 30,000 ms (HTTP). */
  readonly timeoutMs?: number;
  /** Of a home, for the local time of what a reader is answered. Absent: UTC. */
  readonly timeZoneOf?: (homeId: string) => Promise<string>;
}
