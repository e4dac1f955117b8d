import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createNodeFiles } from "../../lib/adapters/journal/node-files.ts";
import { openJournal } from "../../lib/adapters/journal/open.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { createAdmission } from "../../lib/relay/admit.ts";
import { noSecrets, STRIPPED_NAMES, STRIPPED_PARTS, withoutSecrets as strip } from "../../lib/relay/secrets.ts";
import { cpuTimer } from "../support/cpu.ts";
import { manualClock } from "../support/manual-clock.ts";
import { changed, haState } from "./ha-samples.ts";

const SECRET = "PLANTEDSECRETq7";
const withoutSecrets = (value: unknown) => strip(value, noSecrets());
const cased = (name: string) =>
  fc.constantFrom(name, name.toUpperCase(), name.replaceAll("_", "-"), name.replaceAll("_", " "), camel(name));
const camel = (name: string) => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const secretName = fc.oneof(
  fc.constantFrom(...STRIPPED_NAMES).chain(cased),
  fc
    .tuple(
      fc.constantFrom("", "my_", "camera_"),
      fc.constantFrom(...STRIPPED_PARTS),
      fc.constantFrom("", "_1", "_value"),
    )
    .map((parts) => parts.join(""))
    .chain(cased),
);
const secretText = fc.constantFrom(
  `/api/camera_proxy/camera.door?token=${SECRET}`,
  `https://host/x?a=1&authSig=${SECRET}`,
  `https://host/x?sig=${SECRET}`,
  `rtsp://admin:${SECRET}@10.0.0.3/stream`,
  `eyJhbGciOiJIUzI1NiJ9.${SECRET}.${SECRET}`,
  `Bearer ${SECRET}${SECRET}`,
);
const plainName = fc.constantFrom("friendly_name", "brightness", "unit_of_measurement", "list", "a", "options");
const plain = fc.oneof(
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom("on", "kWh", "Bed light", "12:30:00", "http://host/page"),
);

/** Attributes of any shape, in which something secret may stand anywhere. */
const { tree } = fc.letrec<{ tree: unknown; node: unknown }>((tie) => ({
  tree: fc
    .array(
      fc.oneof(
        { weight: 3, arbitrary: fc.tuple(plainName, tie("node")) },
        {
          weight: 2,
          arbitrary: fc.tuple(
            secretName,
            fc.oneof(fc.constant(SECRET), fc.constant({ in: [SECRET] }), fc.constant([SECRET])),
          ),
        },
        { weight: 1, arbitrary: fc.tuple(plainName, secretText) },
      ),
      { maxLength: 6 },
    )
    .map((entries) => Object.fromEntries(entries)),
  node: fc.oneof(
    { depthSize: "small" },
    plain,
    fc.array(fc.oneof(tie("node"), secretText), { maxLength: 4 }),
    tie("tree"),
  ),
}));

/** The same without what was planted, the slow and obvious way: what is plain must stay. */
const isPlain = (value: unknown): boolean => !JSON.stringify(value)?.includes(SECRET);

describe("secrets stay home", () => {
  it("no planted secret is in the file, however it was nested", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hearthline-secrets-"));
    const spool = await openJournal({
      files: createNodeFiles(folder),
      homeId: "home",
      log: silentLogger,
      clock: manualClock(),
      newRelayId: () => "r",
      sinks: ["cloud"],
      maxBytes: 100_000_000,
    });
    const admission = createAdmission(() => true);
    let us = 0;
    await fc.assert(
      fc.asyncProperty(tree, fc.boolean(), secretText, async (attributes, isSnapshot, text) => {
        us += 10;
        const state = haState("camera.door", us, { attributes });
        const admitted = isSnapshot
          ? admission.snapshot(state)
          : admission.event(changed(state, haState("camera.door", us - 5, { attributes, state: text })));
        if (admitted.outcome !== "admitted") throw new Error(admitted.outcome);
        await spool.append([{ text: admitted.text }]);
        const [line = ""] = (
          await spool.read("cloud", { limit: 1, maxBytes: 1e9, after: spool.state().lastSequence - 1 })
        ).map(({ line }) => line);
        expect(line).toContain("camera.door");
        expect(line).not.toContain(SECRET);
      }),
      { numRuns: 400 },
    );
    for (const name of readdirSync(folder)) expect(readFileSync(join(folder, name)).includes(SECRET)).toBe(false);
    await spool.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("what is plain stays as it is", () => {
    fc.assert(
      fc.property(tree, (attributes) => {
        const clean = withoutSecrets(attributes) as Record<string, unknown>;
        for (const [name, value] of Object.entries(attributes as object)) {
          if (["friendly_name", "brightness", "a"].includes(name) && isPlain(value)) expect(clean[name]).toEqual(value);
        }
        expect(withoutSecrets(clean)).toEqual(clean);
      }),
    );
  });

  it("never changes what it was given", () => {
    const attributes = { access_token: "x", deep: { list: [{ gps_accuracy: 5, kept: 1 }] } };
    const copy = structuredClone(attributes);
    expect(withoutSecrets(attributes)).toEqual({ deep: { list: [{ kept: 1 }] } });
    expect(attributes).toEqual(copy);
  });

  it.each([
    "friendly_name",
    "unit_of_measurement",
    "device_class",
    "token_ring_count_is_gone",
    "latest_version",
    "tokens",
  ])("%s", (name) => {
    const isKept = !name.includes("token");
    expect(Object.hasOwn(withoutSecrets({ [name]: "1" }) as object, name)).toBe(isKept);
  });

  it("the text of a password field is replaced, in the old state too", () => {
    const attributes = { mode: "password" };
    const event = changed(
      haState("input_text.code", 10, { attributes, state: SECRET }),
      haState("input_text.code", 5, { attributes, state: SECRET }),
    );
    const admitted = createAdmission(() => true).event(event);
    expect(JSON.stringify(admitted)).not.toContain(SECRET);
    expect(admitted).toMatchObject({ record: { state: "[secret]", old: { state: "[secret]" } } });
  });

  it.each([
    "Basic Misunderstandings and Other Stories",
    "Bearer of the Heavenly Torches",
    "mode=auto;key=3;secret=none",
    "Vlad ?token=abc",
    "http://host/page?key=3",
    "3f786850e387550fdab836ed7e6dc881de23001b",
    "018f3f6e-8f7a-7c3a-9c7e-2f7a5a1d9e11",
    "d2hhdCBhIHNlbnNvciBzYXlzIGluIGJhc2U2NA==",
    "2026.11.0b3+sha256:9f86d081884c7d659a2feaa0c55ad015",
    "someone@example.com, 12:30",
    "https://www.home-assistant.io/blog/2026/11/04/release-202611/?utm_source=ha",
  ])("an ordinary text stays, as a state and as an attribute: %s", (text) => {
    const secrets = noSecrets();
    const admitted = createAdmission(() => true, secrets).event(
      changed(haState("sensor.a", 10, { state: text, attributes: { title: text, mode: "password" } })),
    );
    expect(admitted).toMatchObject({ record: { state: text, attributes: { title: text } } });
    expect(secrets).toEqual({ stripped: 0, redacted: 0 });
  });

  it("what is kept back is counted, and a text that goes leaves a mark in its place", () => {
    const secrets = noSecrets();
    const attributes = { access_token: "x", links: ["a", `/local/x.jpg?token=${SECRET}`], gps: { deep: 1 } };
    const admitted = createAdmission(() => true, secrets).event(
      changed(haState("sensor.a", 10, { state: `http://me:${SECRET}@10.0.0.3/`, attributes })),
    );
    expect(admitted).toMatchObject({ record: { state: "[secret]", attributes: { links: ["a", "[secret]"] } } });
    expect(secrets).toEqual({ stripped: 2, redacted: 2 });
  });

  it("takes long texts in a time that grows with their length only", () => {
    for (const piece of ["eyJ-", "://a:b", "?key", "bearer "]) {
      const cpuMs = cpuTimer();
      withoutSecrets({ texts: Array.from({ length: 10 }, () => piece.repeat(65_536 / 8)) });
      expect(cpuMs()).toBeLessThan(3_000);
    }
  });
});
