/**
 * The part of Timestream's SQL that the adapter says, as the developer guide writes the grammar of SELECT (read 2026-11):
 *
 *     SELECT column [, ...] FROM "database"."table" [WHERE condition [AND ...]] [ORDER BY column [ASC | DESC]] [LIMIT count]
 *     condition: column { = | < | <= | > | >= } literal | column IN ( literal [, ...] )
 *     literal: 'text', a quote in it doubled | TIMESTAMP 'YYYY-MM-DD HH:MM:SS.nnnnnnnnn'
 *
 * Anything else is an error, as wrong SQL is there: so a statement that the adapter gets wrong is found out.
 */
export interface Statement {
  readonly columns: readonly string[];
  readonly database: string;
  readonly table: string;
  readonly conditions: readonly Condition[];
  readonly order?: { readonly column: string; readonly isDescending: boolean };
  readonly limit?: number;
}

export interface Condition {
  readonly column: string;
  readonly operator: "=" | "<" | "<=" | ">" | ">=" | "IN";
  readonly values: readonly Value[];
}

/** Times are in microseconds. */
export type Value = { readonly text: string } | { readonly timeUs: number };

export class SqlError extends Error {}

// In turn: space, text, quoted name, word, whole number, operator or sign.
const TOKEN =
  /(?<space>[ \n\t]+)|'(?<text>(?:[^'\p{Cc}]|'')*)'|"(?<name>(?:[^"]|"")+)"|(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<number>[0-9]+)|(?<sign><=|>=|[=<>(),.])/uy;

type Kind = "text" | "name" | "word" | "number" | "sign" | "end";
interface Token {
  readonly kind: Kind;
  readonly value: string;
  readonly at: number;
}

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < sql.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(sql)?.groups;
    if (!groups) throw new SqlError(`line 1:${at + 1}: extraneous input ${JSON.stringify(sql.slice(at, at + 20))}`);
    const { text, name, word, number, sign } = groups;
    if (text !== undefined) tokens.push({ kind: "text", value: text.replaceAll("''", "'"), at });
    else if (name !== undefined) tokens.push({ kind: "name", value: name.replaceAll('""', '"'), at });
    else if (word !== undefined) tokens.push({ kind: "word", value: word, at });
    else if (number !== undefined) tokens.push({ kind: "number", value: number, at });
    else if (sign !== undefined) tokens.push({ kind: "sign", value: sign, at });
  }
  return [...tokens, { kind: "end", value: "end of statement", at: sql.length }];
}

// The guide's reserved words, as far as a column of ours could be one.
const RESERVED = new Set(
  "ALTER AND AS BETWEEN BY CASE CAST CREATE CROSS DELETE DISTINCT DROP ELSE END ESCAPE EXISTS FALSE FOR FROM FULL GROUP HAVING IN INNER INSERT INTO IS JOIN LEFT LIKE NATURAL NOT NULL ON OR ORDER OUTER RIGHT SELECT TABLE THEN TRUE UNION UNNEST USING VALUES WHEN WHERE WITH".split(
    " ",
  ),
);

/** @throws SqlError */
export function parseSql(sql: string): Statement {
  const tokens = tokensOf(sql);
  let at = 0;
  const peek = () => tokens[at] ?? { kind: "end" as const, value: "end of statement", at: sql.length };
  const fail = (wanted: string): never => {
    throw new SqlError(`line 1:${peek().at + 1}: mismatched input '${peek().value}'. Expecting: ${wanted}`);
  };
  const isNext = (kind: Kind, value: string) => peek().kind === kind && peek().value.toUpperCase() === value;
  const accept = (kind: Kind, value: string): boolean => {
    const is = isNext(kind, value);
    if (is) at++;
    return is;
  };
  const expect = (kind: Kind, value: string) => accept(kind, value) || fail(value);
  const take = (kind: Kind, wanted: string): string => {
    const token = peek();
    if (token.kind !== kind) fail(wanted);
    at++;
    return token.value;
  };
  const column = () => {
    if (RESERVED.has(peek().value.toUpperCase())) fail("<column>");
    return take("word", "<column>");
  };
  function listOf<T>(one: () => T): T[] {
    const list = [one()];
    while (accept("sign", ",")) list.push(one());
    return list;
  }
  const literal = (): Value =>
    accept("word", "TIMESTAMP") ? { timeUs: timeOf(take("text", "<time>")) } : { text: take("text", "<text>") };
  const condition = (): Condition => {
    const name = column();
    if (accept("word", "IN")) {
      expect("sign", "(");
      const values = listOf(literal);
      expect("sign", ")");
      return { column: name, operator: "IN", values };
    }
    const operator = take("sign", "<operator>");
    if (!["=", "<", "<=", ">", ">="].includes(operator)) fail("<operator>");
    return { column: name, operator: operator as Condition["operator"], values: [literal()] };
  };

  expect("word", "SELECT");
  const columns = listOf(column);
  expect("word", "FROM");
  const database = take("name", "<database>");
  expect("sign", ".");
  const table = take("name", "<table>");
  const conditions: Condition[] = [];
  if (accept("word", "WHERE")) {
    do conditions.push(condition());
    while (accept("word", "AND"));
  }
  const order = accept("word", "ORDER") ? orderBy() : undefined;
  const limit = accept("word", "LIMIT") ? Number(take("number", "<count>")) : undefined;
  if (peek().kind !== "end") fail("<end>");
  return { columns, database, table, conditions, ...(order && { order }), ...(limit !== undefined && { limit }) };

  function orderBy() {
    expect("word", "BY");
    const name = column();
    const isDescending = accept("word", "DESC");
    if (!isDescending) accept("word", "ASC");
    return { column: name, isDescending };
  }
}

const TIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{6})000$/;

/** @throws SqlError for what is no time, or not whole microseconds */
function timeOf(text: string): number {
  const match = TIME.exec(text);
  if (!match) throw new SqlError(`'${text}' is not a valid timestamp literal`);
  const [, ...digits] = match;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, micro = 0] = digits.map(Number);
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  if (new Date(ms).toISOString().slice(0, 19).replace("T", " ") !== text.slice(0, 19)) {
    throw new SqlError(`'${text}' is not a valid timestamp literal`);
  }
  return ms * 1000 + micro;
}
