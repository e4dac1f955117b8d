/**
 * What went wrong with one frame, message or event while the session went on. The relay counts them by kind:
 * - `frame_binary`, `frame_not_utf8`, `frame_unparsable`: a whole frame was given up, with every event in it. A new snapshot tells what it said.
 * - `message_malformed`: neither an answer nor an event can be recognised.
 * - `message_unexpected`: an answer to a command that waits no longer, an event of a subscription that is not ours.
 * - `event_malformed`: an event frame without a member that every event has.
 * - `callback_failed`: our own `onEvent` threw; the event is lost unless the callee kept it.
 * - `row_malformed`: a row of a registry that is no object was left out.
 */
export type HaProblemKind =
  | "frame_binary"
  | "frame_not_utf8"
  | "frame_unparsable"
  | "message_malformed"
  | "message_unexpected"
  | "event_malformed"
  | "callback_failed"
  | "row_malformed";

export interface HaProblem {
  readonly kind: HaProblemKind;
  /** One sentence for a log. Never quotes a frame: an event may hold a camera's token. */
  readonly detail: string;
  /** Of the event, where it could be read. */
  readonly entityId?: string;
}

/** Takes each problem as it happens, on the reader's own turn: it must not block. One that throws is ignored. */
export type OnProblem = (problem: HaProblem) => void;
