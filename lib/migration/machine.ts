/** The state machine: pure. Nothing here reads a clock or the outside. */

/** What people change: each gives the next row, one epoch on. */
export { abort, advance, type By, moveReader, pause, resume, rollback, start } from "./changes.ts";
/** What a step does with what it found, and the row that it leaves. */
export { afterStep, decide } from "./decide.ts";
/** What must have passed before a state is left; whether anything runs at all. */
export { isStarted, REQUIRED } from "./places.ts";
/** Who answers reads, by the row. */
export { pointerOf } from "./pointer.ts";
/** The row of a plan. */
export { newMigration } from "./row.ts";
