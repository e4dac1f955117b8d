// Loaded before the relay (`--import`): its wall clock is off by CHAOS_CLOCK_MS, and by what its parent tells it from then on.
const RealDate = Date;
let offMs = Number(process.env.CHAOS_CLOCK_MS ?? 0);

globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + offMs);
    else super(...given);
  }
  static now() {
    return RealDate.now() + offMs;
  }
};
process.on("message", (message) => {
  if (typeof message?.clockMs === "number") offMs = message.clockMs;
});
