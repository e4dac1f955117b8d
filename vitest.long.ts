/** What takes a quarter of a minute and more: long journeys, the seeded model, every grant by every call. `npm run test:peers` runs them, so that `npm test` stays a matter of minutes; `.ci/run` runs both. */
export const LONG = [
  "tests/house/roles.test.ts",
  "tests/local/start/legacy.test.ts",
  "tests/migration/statistics/operating.test.ts",
  "tests/journey/{backup,first-evening,home-assistant-app,import,migration*,nightly,redelivery}.test.ts",
  "tests/migration/model/model.test.ts",
  "tests/wiring/migration-{faults,repair}.test.ts",
];
