// Prints the members that the types name and those that objects of the helper have, as JSON.
import { readFileSync } from "node:fs";
import ts from "typescript";
import { start } from "./mockd.mjs";

const source = ts.createSourceFile("mockd.d.mts", readFileSync("mockd.d.mts", "utf8"), ts.ScriptTarget.Latest);
const typed = {};
for (const { name, members } of source.statements.filter(ts.isInterfaceDeclaration)) {
  typed[name.text] = members.map((member) => member.name.getText(source)).sort();
}

const server = await start();
const mockd = server.test();
const ticks = await mockd.sse("/ticks", [1]);
await fetch(ticks.url);
const stream = await ticks.waitForStream();
const there = {};
for (const object of [server, mockd, ticks, stream]) {
  const inherited = Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter((name) => name !== "constructor");
  const options = ["patienceSeconds"]; // what was given need not be known
  there[object.constructor.name] = [...inherited, ...Object.keys(object)].filter((name) => !options.includes(name)).sort();
}
console.log(JSON.stringify({ typed: Object.fromEntries(Object.keys(there).map((name) => [name, typed[name]])), there }));
await server.close();
