declare module "dynalite" {
  import type { Server } from "node:http";

  /** Times in milliseconds; without a path it keeps everything in memory. */
  const dynalite: (options: {
    readonly path?: string;
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
  }) => Server;

  export = dynalite;
}
