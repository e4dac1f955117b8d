/** The answer to a command that worked. `resultJson` is JSON text. */
export const resultFrame = (id: number, resultJson: string): string =>
  `{"id":${id},"type":"result","success":true,"result":${resultJson}}`;

/** The answer to one that did not. */
export const errorFrame = (id: number | null, code: string, message: string): string =>
  JSON.stringify({ id, type: "result", success: false, error: { code, message } });

export const eventFrame = (id: number, eventJson: string): string => `{"type":"event","event":${eventJson},"id":${id}}`;

/** What a command answers with when it cannot be done: becomes an error frame. */
export class CommandError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "CommandError";
    this.code = code;
  }
}
