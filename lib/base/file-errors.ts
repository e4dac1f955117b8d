const STATES: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; wanted is free space",
  EDQUOT: "the quota is used up; wanted is free space",
  EROFS:
    "the file system is read-only; wanted is one that may be written: mount it read-write (after an error of the disk: check it first), or set HEARTHLINE_DATA to another folder",
  EACCES: "the file may not be written; wanted is write permission on it and on its folder",
  EPERM: "the file may not be written; wanted is write permission on it and on its folder",
  ENOTDIR: "a part of the path is no folder; wanted is a folder that may be written",
  EEXIST: "something else has its name; wanted is a folder that may be written",
  EIO: "the disk answers with an error",
  EMFILE: "too many files are open",
};

/** Only a person can change it, or the machine's administrator. */
const FOR_A_PERSON: ReadonlySet<string> = new Set(["EROFS", "EACCES", "EPERM", "ENOTDIR", "EEXIST"]);

export interface FileProblem {
  readonly code: string;
  /** What is wrong, and what is wanted. */
  readonly state: string;
  readonly needsPerson: boolean;
}

/** What the file system means by an error; undefined: it is none of the file system's. */
export function fileProblemOf(thrown: unknown): FileProblem | undefined {
  const { code } = (thrown ?? {}) as { code?: unknown };
  if (typeof code !== "string" || !/^E[A-Z]+$/.test(code)) return undefined;
  return {
    code,
    state: STATES[code] ?? "the file system answers with an error",
    needsPerson: FOR_A_PERSON.has(code),
  };
}
