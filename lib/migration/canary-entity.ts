/**
 * The entity of a migration's own events. It belongs to no device, so none is shown; detectors hear of nothing whose name begins with `hearthline`; and both sides get each of its events, so that
 * a comparison finds them equal.
 */
const PREFIX = "sensor.hearthline_canary_";
const ID_MAX_CHARACTERS = 40;

export const canaryEntityOf = (migrationId: string): string =>
  PREFIX +
  migrationId
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .slice(0, ID_MAX_CHARACTERS);

/** Whether an event says nothing of the home: who looks whether OLD is still fed must not be answered by us. */
export const isCanary = (entityId: string): boolean => entityId.startsWith(PREFIX);
