import { afterEach, expect, it } from "vitest";
import { packBatch } from "../../lib/ingest/index.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { randomKey, sealed, stateRecord } from "../support/records.ts";

let pipeline: Pipeline;
afterEach(() => pipeline?.stop());

it("no line of any level, of anything that goes well or wrong, holds a token or a key", async () => {
  pipeline = await startPipeline({ env: { HEARTHLINE_LOG_LEVEL: "debug" } });
  const home = await pipeline.addHome("home");
  const { text: once } = await pipeline.operator.tokens.create({ homeId: "home", name: "x", scopes: ["read"] });
  const post = (token: string, body: unknown) =>
    pipeline.ask(token, "/api/v1/events", { method: "POST", body: JSON.stringify(body) });
  const event = { event_type: "state_changed", entity_id: "light.a", state: home.token, timestamp: "2026-11-22" };

  // A token where none belongs: in the path, the query, a body, twice in the header.
  for (const path of [`/api/v1/devices/${once}`, `/api/v1/jobs/x${once}x`, `/api/v1/events?token=${once}`, `/${once}`])
    await pipeline.ask(once, path);
  await pipeline.ask(`${once}, Bearer ${home.token}`, "/api/v1/events");
  await post(once, { ...event, attributes: { access_token: home.token } });
  await post(home.token, { ...event, timestamp: once });
  await post(home.token, `${home.token}`);
  // Envelopes that cannot be opened, and batches that cannot be read; keys among what they hold.
  const secret = home.key.secret.toString("base64");
  const record = stateRecord({ state: secret.slice(0, 40), attributes: { token: home.token } });
  await pipeline.send(
    "events",
    sealed([record], { key: home.key }),
    sealed([record], { key: randomKey() }),
    home.token,
  );
  await pipeline.send("store", home.token, ...packBatch({ homeId: "home" }, [{ token: home.token }]));
  await pipeline.send("index", home.token, ...packBatch({ homeId: "home" }, [{ t: home.token }]));
  await pipeline.send("analysis", JSON.stringify({ home_id: "home", job_id: home.token }));
  await pipeline.drain();
  // Parts that are away, and settings that are wrong.
  const away = { AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:1", HEARTHLINE_PAGE_TOKEN: home.token };
  for (const name of ["api", "authorize", "enrich", "store"] as const) pipeline.replace(name, away);
  await pipeline.ask(home.token, "/api/v1/entities");
  await pipeline.send("events", sealed([record], { key: home.key, first: 10 }));
  await pipeline.deliver("events");

  expect(pipeline.logged.length).toBeGreaterThan(10);
  expect(new Set(pipeline.logged.map(({ level }) => level)).size).toBeGreaterThan(2);
  const text = pipeline.logged.map((line) => JSON.stringify(line)).join("\n");
  for (const token of [once, home.token]) expect(text).not.toContain(token.slice(-43));
  for (const encoding of ["base64", "base64url", "hex", "latin1"] as const)
    expect(text).not.toContain(home.key.secret.toString(encoding).slice(0, 20));
});
