// node work.mjs URL TASK prints what the model answered.

import { Agent } from "@mastra/core/agent";
import { createTool } from "@mastra/core/tools";
import { z } from "zod";
import { attempted, findStation, readRain } from "../tools.mjs";

const [url, task] = process.argv.slice(2);

const find_station = createTool({
  id: "find_station",
  description: "Find the station that measures the rain of a place",
  inputSchema: z.object({ place: z.string() }),
  execute: async ({ context }) => findStation(context.place),
});
const read_rain = createTool({
  id: "read_rain",
  description: "Read how much it has rained at a station",
  inputSchema: z.object({ station: z.string() }),
  execute: async ({ context }) => readRain(context.station),
});

const agent = new Agent({
  name: "assistant",
  instructions: "Look up the rain.",
  model: { id: "mockd/any", url: `${url}/openai/v1`, apiKey: "any" },
  tools: { find_station, read_rain },
});
console.log((await attempted(() => agent.generate(task))).text);
