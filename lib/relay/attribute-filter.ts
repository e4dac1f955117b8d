import { HearthlineError } from "../base/errors.ts";
import { type PatternTest, patternTest } from "./filter.ts";

/**
 * The attributes that travel, of those that an entity has. Gives back the very same object when all do; never changes it.
 * What is no object passes as it is: `enrich` judges it.
 */
export type AttributeFilter = (entityId: unknown, attributes: unknown) => unknown;

/** How many attributes the owner's rules have kept at home. */
export interface AttributeCount {
  excluded: number;
}

/** For so many entities what applies to them is remembered; then all is forgotten at once. */
const REMEMBERED_MAX_ENTITIES = 100_000;

/**
 * Rules are `ATTRIBUTE` or `ENTITIES:ATTRIBUTE`. ENTITIES as for `createEntityFilter`: a domain (`light`) or an entity (`media_player.tv_*`); ATTRIBUTE is the
 * name of an attribute, of the first level, letter for letter; in both `*` stands for any characters and `?` for one. An event always travels, also one whose
 * other attributes did not change.
 * @throws HearthlineError `setting_invalid` that quotes the rule
 */
export function createAttributeFilter(
  rules: readonly string[],
  count: AttributeCount = { excluded: 0 },
): AttributeFilter {
  const parsed = rules.map(parseAttributeRule);
  if (parsed.length === 0) return (_entityId, attributes) => attributes;
  const known = new Map<string, readonly PatternTest[]>();

  function namesFor(entityId: string): readonly PatternTest[] {
    const remembered = known.get(entityId);
    if (remembered) return remembered;
    const names = parsed.filter(({ entities }) => entities?.test(entityId) ?? true).map(({ name }) => name);
    if (known.size >= REMEMBERED_MAX_ENTITIES) known.clear();
    known.set(entityId, names);
    return names;
  }

  return (entityId, attributes) => {
    if (typeof attributes !== "object" || attributes === null || Array.isArray(attributes)) return attributes;
    const names = namesFor(String(entityId));
    if (names.length === 0) return attributes;
    const all = Object.entries(attributes);
    const kept = all.filter(([name]) => !names.some((test) => test.test(name)));
    if (kept.length === all.length) return attributes;
    count.excluded += all.length - kept.length;
    return Object.fromEntries(kept);
  };
}

interface Rule {
  /** undefined: every entity. */
  readonly entities?: PatternTest;
  readonly name: PatternTest;
}

function parseAttributeRule(rule: string): Rule {
  const parts = rule.split(":").map((part) => part.trim());
  const [first = "", second] = parts;
  if (parts.length > 2 || parts.includes("")) {
    throw new HearthlineError(
      "setting_invalid",
      `"${rule.slice(0, 200)}" is no rule for attributes: wanted is ATTRIBUTE or ENTITIES:ATTRIBUTE, such as "forecast" or "media_player.*:media_*".`,
    );
  }
  return second === undefined
    ? { name: patternTest(first) }
    : { entities: patternTest(first, { isEntity: true }), name: patternTest(second) };
}
