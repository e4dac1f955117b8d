/** Does this entity travel? */
export type EntityFilter = (entityId: string) => boolean;

/**
 * Patterns are a domain (`light`) or an entity (`sensor.power_*`, `*_rssi`), in which `*` stands for any characters and `?` for one.
 * An entity travels when `include` is empty or names it, and `exclude` does not name it.
 */
export function createEntityFilter(include: readonly string[], exclude: readonly string[]): EntityFilter {
  const included = matcher(include);
  const excluded = matcher(exclude);
  return (entityId) => (include.length === 0 || included(entityId)) && !excluded(entityId);
}

function matcher(patterns: readonly string[]): EntityFilter {
  const tests = patterns.map((pattern) => patternTest(pattern, { isEntity: true }));
  return (entityId) => tests.some((test) => test.test(entityId));
}

/** Does a text match? */
export interface PatternTest {
  test(text: string): boolean;
}

const WILDCARD = /[*?]/;

/**
 * A test for the whole of a text. `isEntity`: a pattern without a dot is a domain or, with a wildcard in it, may also be the whole of an entity id (`*_rssi`); capitals
 * are small letters, as in every entity id: a rule that keeps something at home must not fail for its spelling.
 */
export function patternTest(pattern: string, { isEntity = false }: { readonly isEntity?: boolean } = {}): PatternTest {
  if (!isEntity) return globTest(pattern);
  const glob = globTest(pattern.toLowerCase());
  if (pattern.includes(".")) return glob;
  const isGlob = WILDCARD.test(pattern);
  return {
    test(entityId) {
      const dot = entityId.indexOf(".");
      return (dot !== -1 && glob.test(entityId.slice(0, dot))) || (isGlob && glob.test(entityId));
    },
  };
}

const globTest = (pattern: string): PatternTest =>
  WILDCARD.test(pattern) ? { test: (text) => matches(pattern, text) } : { test: (text) => text === pattern };

/** Steps at most the product of both lengths: a regular expression with several `.*` takes minutes for names that an integration may choose. */
function matches(pattern: string, text: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let starAt = 0;
  while (at < text.length) {
    const wanted = pattern[place];
    if (wanted === "*") {
      star = place++;
      starAt = at;
    } else if (wanted !== undefined && (wanted === "?" || wanted === text[at])) {
      at += 1;
      place += 1;
    } else if (star >= 0) {
      place = star + 1;
      at = ++starAt;
    } else return false;
  }
  while (pattern[place] === "*") place += 1;
  return place === pattern.length;
}
