import { describe, expect, it } from "vitest";
import { ApiError, createClient, troubleText } from "../../../lib/web/app/client.ts";

type Asked = { readonly path: string; readonly headers: Headers; readonly method: string; readonly body: unknown };

function api(answer: (asked: Asked) => Response | Promise<Response>) {
  const asked: Asked[] = [];
  const client = createClient("hl_token", async (path, init) => {
    const one = { path, headers: new Headers(init.headers), method: init.method ?? "GET", body: init.body };
    asked.push(one);
    return answer(one);
  });
  return { client, asked };
}

describe("the client", () => {
  it("brings its token, and asks again with the ETag that it got", async () => {
    const { client, asked } = api(({ headers }) =>
      headers.get("if-none-match") === '"1"'
        ? new Response(null, { status: 304 })
        : Response.json({ a: 1 }, { headers: { etag: '"1"' } }),
    );
    expect([await client.get("/x"), await client.get("/x")]).toEqual([{ a: 1 }, { a: 1 }]);
    expect(asked.map(({ headers }) => [headers.get("authorization"), headers.get("if-none-match")])).toEqual([
      ["Bearer hl_token", null],
      ["Bearer hl_token", '"1"'],
    ]);
  });

  it("reads a list page by page, and stops where it is told to", async () => {
    const { client, asked } = api(({ path }) => {
      const at = Number(new URLSearchParams(path.split("?")[1]).get("cursor") ?? 0);
      return Response.json({ rows: [at, at + 1], next: at < 8 ? String(at + 2) : null });
    });
    expect(await client.list("/x?limit=2", "rows", 100)).toEqual({
      items: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      more: false,
    });
    asked.length = 0;
    expect(await client.list("/x?limit=2", "rows", 3)).toEqual({ items: [0, 1, 2, 3], more: true });
    expect(asked.map(({ path }) => path)).toEqual(["/x?limit=2", "/x?limit=2&cursor=2"]);
  });

  it("never asks for more than four at once, and for all in the end", async () => {
    let [under, most] = [0, 0];
    const { client } = api(async () => {
      most = Math.max(most, ++under);
      await new Promise((resolve) => setImmediate(resolve));
      under--;
      return Response.json({});
    });
    await Promise.all(Array.from({ length: 20 }, (_, index) => client.get(`/x${index}`)));
    expect(most).toBe(4);
  });

  it("sends decisions as JSON", async () => {
    const { client, asked } = api(() => Response.json({ id: "a" }));
    expect(await client.post("/x/snooze", { days: 7 })).toEqual({ id: "a" });
    await client.post("/x/accept");
    expect(asked.map(({ method, body, headers }) => [method, body, headers.get("content-type")])).toEqual([
      ["POST", '{"days":7}', "application/json"],
      ["POST", undefined, null],
    ]);
  });

  it("tells what the API said, what a token may not, and that nobody answered", async () => {
    const { client } = api(() => Response.json({ code: "not_found", detail: "No such one." }, { status: 404 }));
    const thrown = await client.get("/x").catch((error: unknown) => error);
    expect([troubleText(thrown), (thrown as ApiError).status]).toEqual(["No such one.", 404]);
    const broken = api(() => new Response("<html>", { status: 502 }));
    expect(troubleText(await broken.client.get("/x").catch((error: unknown) => error))).toBe("The answer was 502.");
    expect(troubleText(new ApiError(403, "scope_missing", "x"))).toContain("may look, but not decide");
    expect(troubleText(new TypeError("Failed to fetch"))).toBe("Hearthline does not answer.");
  });
});
