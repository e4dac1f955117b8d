// The page's client, lib/web/app, as the one script that the API serves at /page/app.js.
const { join } = require("node:path");
const esbuild = require("esbuild");

const options = {
  absWorkingDir: join(__dirname, ".."),
  entryPoints: ["lib/web/app/main.tsx"],
  bundle: true,
  minify: true,
  write: false,
  format: "iife",
  platform: "browser",
  target: ["es2023", "chrome120", "firefox121", "safari17.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  charset: "utf8",
  // What the licence of the one library in it asks for.
  banner: { js: "/*! Holds Preact: MIT License, Copyright (c) 2015-present Jason Miller */" },
  legalComments: "none",
  logLevel: "silent",
};

const textOf = ({ outputFiles }) => outputFiles[0].text;

module.exports = {
  bundlePage: async () => textOf(await esbuild.build(options)),
  bundlePageSync: () => textOf(esbuild.buildSync(options)),
};
