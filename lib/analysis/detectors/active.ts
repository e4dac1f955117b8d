/** How things are while nothing is done with them. */
const RESTING: ReadonlySet<string> = new Set([
  "off",
  "closed",
  "locked",
  "idle",
  "standby",
  "paused",
  "docked",
  "not_home",
  "disarmed",
  "ready",
  "finished",
  "none",
]);

/** Whether something goes on in that state: a lamp is on, a door is open. Going back is the other side of the same. */
export const isActive = (state: string): boolean => !RESTING.has(state);
