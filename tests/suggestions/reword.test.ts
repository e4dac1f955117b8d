import { describe, expect, it, vi } from "vitest";
import { HearthlineError } from "../../lib/base/errors.ts";
import { draftOfPattern } from "../../lib/suggestions/index.ts";
import type { Words } from "../../lib/suggestions/ports.ts";
import { CALLS_A_NIGHT, rewordAll, saysTheSame } from "../../lib/suggestions/reword.ts";
import { suggestionsOfTonight } from "../../lib/suggestions/tonight.ts";
import { names, pattern } from "./samples.ts";

const draft = (id: string) => {
  const made = draftOfPattern(pattern({ id }), names);
  if (!made) throw new Error("no draft");
  return made;
};
const log = { warn: vi.fn() };
const better = async ({ title, description }: Words) => ({ title: `${title}, nicely`, description });

describe("better words", () => {
  it("replace those of the template, in the alias too, and nothing else", async () => {
    const { drafts, calls } = await rewordAll([draft("a")], { there: [], writer: { rephrase: better }, log });
    const made = drafts.get("p-a");
    expect([calls, made?.title]).toEqual([1, `${draft("a").title}, nicely`]);
    expect(made?.automation).toEqual({ ...draft("a").automation, alias: made?.title });
    expect(made?.score).toBe(draft("a").score);
  });

  it("are asked for once for the same words", async () => {
    const rephrase = vi.fn(better);
    const first = await rewordAll([draft("a")], { there: [], writer: { rephrase }, log });
    const told = [...first.drafts.values()];
    const there = suggestionsOfTonight([], told, { homeId: "home", now: "2026-11-22T02:00:00.000Z" });
    const second = await rewordAll([draft("a")], { there, writer: { rephrase }, log });
    expect([rephrase.mock.calls.length, second.calls]).toEqual([1, 0]);
    expect(second.drafts).toEqual(first.drafts);
  });

  it("are asked for so many times a night, and not again after a failure", async () => {
    const many = Array.from({ length: CALLS_A_NIGHT + 5 }, (_, at) => draft(`d${at}`));
    expect((await rewordAll(many, { there: [], writer: { rephrase: better }, log })).calls).toBe(CALLS_A_NIGHT);
    const away = vi.fn(() => Promise.reject(new HearthlineError("service_timeout", "slow")));
    expect(await rewordAll(many, { there: [], writer: { rephrase: away }, log })).toEqual({
      drafts: new Map(),
      calls: 1,
    });
    expect(log.warn).toHaveBeenCalledTimes(1);
    expect(await rewordAll(many, { there: [], writer: undefined, log })).toMatchObject({ calls: 0 });
  });

  it("are not used when they change a number, a time or an id, or are no plain text", async () => {
    const template = { title: "Turn on light.kitchen at 07:02", description: "18 of 20 days." };
    expect(
      saysTheSame(template, { title: "light.kitchen at 07:02", description: "On 18 of 20 days it was you." }),
    ).toBe(true);
    for (const wrong of [
      { title: "light.kitchen at 07:03", description: "18 of 20 days." },
      { title: "light.kitchen at 07:02", description: "Nearly always." },
      { title: "light.bathroom at 07:02", description: "18 of 20 days." },
      { title: "light.kitchen at 07:02 saves 30 %", description: "18 of 20 days." },
      { title: "", description: "18 of 20 days, light.kitchen 07:02." },
      { title: "<b>light.kitchen</b> at 07:02", description: "18 of 20 days." },
      { title: "light.kitchen at 07:02\u001b[2J", description: "18 of 20 days." },
      { title: "light.kitchen at 07:02", description: `18 of 20 days. ${"x".repeat(700)}` },
    ])
      expect(saysTheSame(template, wrong)).toBe(false);
  });

  it("are not used when they say the opposite, or hide something", () => {
    const template = { title: "Turn on the lamp at 07:02", description: "You turn it on. 18 of 20 days." };
    const facts = "07:02, 18 of 20 days";
    expect(saysTheSame(template, { title: "Light at 07:02", description: "On 18 of 20 days you did." })).toBe(true);
    for (const title of [
      `Turn off the lamp: ${facts}`,
      `Never turn on the lamp: ${facts}`,
      `Unlocks the lamp: ${facts}`,
      `The lamp \u202e: ${facts}`,
      `{{ states }} ${facts}`,
    ])
      expect([title, saysTheSame(template, { title, description: "So be it." })]).toEqual([title, false]);
    const off = { title: "Turn off the lamp", description: "You turn it off." };
    expect(saysTheSame(off, { title: "Lights out: off", description: "You do it." })).toBe(true);
    expect(saysTheSame(off, { title: "Turn on the lamp", description: "It was off." })).toBe(false);
  });

  it("are not asked for when the phase has no time left", async () => {
    const rephrase = vi.fn(better);
    const signal = AbortSignal.abort();
    expect((await rewordAll([draft("a")], { there: [], writer: { rephrase }, log, signal })).calls).toBe(0);
    expect(rephrase).not.toHaveBeenCalled();
  });
});
