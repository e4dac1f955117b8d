// What esbuild writes into each function: the one event store of this deployment, so that the others and their libraries stay out of the bundle.
module.exports = () => ({
  "process.env.HEARTHLINE_STACK_BUNDLED_STORE": JSON.stringify(process.env.HEARTHLINE_STORE || "sqlite"),
});
