// What every SDK is asked, and what all their replies are told as.

export const QUESTION = "Say hello, please";

export const TOOLS = [
  {
    name: "get_weather",
    description: "The weather in a city",
    schema: { type: "object", properties: { city: { type: "string" }, unit: { type: "string" } }, required: ["city"] },
  },
  {
    name: "get_time",
    description: "The time in a zone",
    schema: { type: "object", properties: { zone: { type: "string" } }, required: ["zone"] },
  },
];

export const MOST_RETRIES = 1;

export class Reply {
  text = "";
  reasoning = "";
  refusal = "";
  sources = [];
  calls = [];
  finish = null;
  usage = null;
}
