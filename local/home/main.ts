import * as z from "zod";
import { messageOf } from "../../lib/base/errors.ts";
import { readOptions } from "../read-options.ts";
import { FAULT_NAMES } from "./live/faults.ts";
import { HA_VERSIONS } from "./protocol/flavours.ts";
import { createSimulatedHome } from "./simulated-home.ts";

const USAGE =
  "node local/home/main.ts [--port 0] [--data .hearthline/home] [--speed 1] [--rate 0.3] [--days 0] [--seed 1] [--token T] [--version 2026.11.0] [--faults a,b]";

const number = (min: number, max: number, fallback: number) => z.coerce.number().min(min).max(max).default(fallback);

const optionsSchema = z.object({
  port: number(0, 65_535, 0),
  data: z.string().min(1).default(".hearthline/home"),
  speed: number(0.01, 3_600, 1),
  rate: number(0.001, 100_000, 0.3),
  days: number(0, 3_650, 0),
  seed: z.coerce.number().int().min(0).max(4_294_967_295).default(1),
  token: z.string().min(20).optional(),
  version: z.enum(HA_VERSIONS).default("2026.11.0"),
  faults: z
    .string()
    .default("")
    .transform((text) => text.split(",").filter((name) => name !== ""))
    .pipe(z.array(z.enum(FAULT_NAMES))),
});

const { token, ...options } = readOptions(optionsSchema, USAGE);
try {
  const home = await createSimulatedHome({ ...options, ...(token !== undefined && { token }) });
  const end = () => {
    void home.stop().then(() => process.exit(0));
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  process.once("disconnect", end);
  // The token goes to the parent alone; by hand it stands in DATA/token.
  if (process.send) process.send({ ready: true, port: home.port, url: home.url, token: home.token });
  else
    process.stdout.write(
      `${JSON.stringify({ ready: true, port: home.port, url: home.url, token_file: `${options.data}/token` })}\n`,
    );
} catch (thrown) {
  process.stderr.write(`${messageOf(thrown)}\n`);
  process.exit(1);
}
