/** Does this entity travel? */
export type EntityFilter = (entityId: string) => boolean;

/**
 * Patterns are a domain (`light`) or an entity (`sensor.power_*`), in which `*` stands for any characters and `?` for one.
 * An entity travels when `include` is empty or names it, and `exclude` does not name it.
 */
export function createEntityFilter(include: readonly string[], exclude: readonly string[]): EntityFilter {
  const included = matcher(include);
  const excluded = matcher(exclude);
  return (entityId) => (include.length === 0 || included(entityId)) && !excluded(entityId);
}

function matcher(patterns: readonly string[]): EntityFilter {
  const tests = patterns.map((pattern) => {
    const text = pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll(/\*+/g, ".*")
      .replaceAll("?", ".");
    return new RegExp(pattern.includes(".") ? `^${text}$` : `^${text}\\.`, "s");
  });
  return (entityId) => tests.some((test) => test.test(entityId));
}
