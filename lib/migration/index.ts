/** The door of the control plane of migrations, for wiring: the state machine, and the step that runs it. */

export * from "./machine.ts";
/** From a plan's text to a plan; every wrong member is named. */
export { planSchema } from "./plan.ts";
/** One step of one migration, or of all. */
export { createStepper, type OpenChecks, type Stepper, type Steps } from "./step.ts";
/** All states in order, and those after which nothing happens. */
export { ENDED, STATES } from "./types.ts";
