import * as z from "zod";
import { systemClock } from "../../lib/base/clock.ts";
import { messageOf } from "../../lib/base/errors.ts";
import { readOptions } from "../read-options.ts";
import { startLegacy } from "./server.ts";

const USAGE = "node local/legacy/main.ts [--port 0] [--data .hearthline/legacy] [--seed 1] [--token T]";

const optionsSchema = z.object({
  port: z.coerce.number().int().min(0).max(65_535).default(0),
  data: z.string().min(1).default(".hearthline/legacy"),
  seed: z.coerce.number().int().min(0).max(4_294_967_295).default(1),
  token: z.string().min(1).optional(),
});

try {
  const legacy = await startLegacy({ ...readOptions(optionsSchema, USAGE), clock: systemClock });
  const end = () => {
    void legacy.stop().then(() => process.exit(0));
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, end);
  process.once("disconnect", end);
  const { port, url } = legacy;
  if (process.send) process.send({ ready: true, port, url });
  else process.stdout.write(`${JSON.stringify({ ready: true, port, url })}\n`);
} catch (thrown) {
  process.stderr.write(`${messageOf(thrown)}\n`);
  process.exit(1);
}
